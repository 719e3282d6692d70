import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import { Page } from "../components/page.tsx";
import { Failure } from "../components/states.tsx";
import { palette, paletteText, type Subject } from "../store/palette.ts";

type More = typeof import("./more.ts");

const pages = signal<More | null>(null);
const problem = signal<ApiError | null>(null);

/** Loads the further pages, once. */
export async function loadMore(): Promise<void> {
  if (pages.value !== null) return;
  try {
    pages.value = await import("./more.ts");
    problem.value = null;
  } catch {
    problem.value = new ApiError(500, "the page was not loaded; Nightmail may be away, or have a new version");
  }
}

/** Returns a page of `more.ts` that appears once it is loaded. A new version of Nightmail has other files: it needs a new start. */
export function later(name: keyof More): ComponentType {
  return function Later() {
    useEffect(() => void loadMore(), []);
    const Loaded = pages.value?.[name];
    if (Loaded !== undefined) return <Loaded />;
    if (problem.value === null) return <main id="content" tabIndex={-1} />;
    return (
      <Page title="Not loaded">
        <Failure error={problem.value} retry={() => location.reload()} />
      </Page>
    );
  };
}

/** The palette, once it is loaded; it is asked for by `openPalette`. */
export function LaterPalette() {
  const Palette = pages.value?.Palette;
  return Palette === undefined ? null : <Palette />;
}

export function openPalette(subject: Subject): void {
  paletteText.value = "";
  palette.value = subject;
  void loadMore();
}
