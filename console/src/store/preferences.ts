// What this browser remembers: the theme, whether single keys are shortcuts (WCAG 2.2, 2.1.4), and its user's own address.
import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";

export const theme = signal<Theme>((localStorage.getItem("nightmail-theme") as Theme | null) ?? "auto");
export const singleKeys = signal(localStorage.getItem("nightmail-keys") !== "off");
/** Where the person gets mails that are for trying. */
export const ownAddress = signal(localStorage.getItem("nightmail-address") ?? "");

export function startPreferences(): void {
  effect(() => {
    localStorage.setItem("nightmail-theme", theme.value);
    if (theme.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
  });
  effect(() => localStorage.setItem("nightmail-keys", singleKeys.value ? "on" : "off"));
  effect(() => localStorage.setItem("nightmail-address", ownAddress.value));
}
