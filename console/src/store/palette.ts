// What the palette is about: everything, or the row whose actions were asked for.
import { signal } from "@preact/signals";

export interface Subject {
  job?: string | undefined;
  run?: string | undefined;
}

/** null: the palette is closed. */
export const palette = signal<Subject | null>(null);
/** What is typed into it: also while its file is being loaded, so that no letter is lost, or is taken for a shortcut. */
export const paletteText = signal("");

/** Takes a key for the palette that is asked for and not there yet; returns whether it is one. */
export function typeAhead({ key }: KeyboardEvent): boolean {
  if (key === "Escape") palette.value = null;
  else if (key === "Backspace") paletteText.value = paletteText.value.slice(0, -1);
  else if (key.length === 1) paletteText.value += key;
  else return false;
  return true;
}
