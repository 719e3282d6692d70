// What this browser remembers: the theme, and whether single keys are shortcuts (WCAG 2.2, 2.1.4).
import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";

export const theme = signal<Theme>((localStorage.getItem("nightmail-theme") as Theme | null) ?? "auto");
export const singleKeys = signal(localStorage.getItem("nightmail-keys") !== "off");

export function startPreferences(): void {
  effect(() => {
    localStorage.setItem("nightmail-theme", theme.value);
    if (theme.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
  });
  effect(() => localStorage.setItem("nightmail-keys", singleKeys.value ? "on" : "off"));
}
