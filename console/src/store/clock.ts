// The present, for words like "in 4 min". One timer for all of them.
import { signal } from "@preact/signals";

const TICK_MS = 10_000;

export const now = signal(Date.now());

export function startClock(): void {
  setInterval(() => {
    now.value = Date.now();
  }, TICK_MS);
}
