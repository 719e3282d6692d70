// What the palette is about: everything, or the row whose actions were asked for.
import { signal } from "@preact/signals";

export interface Subject {
  job?: string | undefined;
  run?: string | undefined;
}

/** null: the palette is closed. */
export const palette = signal<Subject | null>(null);
