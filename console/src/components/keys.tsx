// The keyboard: Ctrl+K opens the palette, `g` and a letter goes to a page, `/` to the search, `j` and `k` through rows, Enter
// opens one, `.` lists its actions, `?` lists the keys. Ctrl+S saves what is edited.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { NAVIGATION } from "../pages/index.ts";
import { openPalette } from "../pages/later.tsx";
import { palette, typeAhead } from "../store/palette.ts";
import { singleKeys } from "../store/preferences.ts";
import { Dialog, DialogClose } from "./dialog.tsx";

const helpIsOpen = signal(false);
/** The second key of `g h` must come this soon. */
const CHORD_MS = 1_200;

export function Keys() {
  const { route } = useLocation();
  useEffect(() => {
    let goPressedAt = 0;
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key === "k") {
        event.preventDefault();
        if (document.querySelector("dialog[open]") === null) openPalette({});
        return;
      }
      const isOpen = document.querySelector("dialog[open]") !== null;
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "s") {
        const save = document.querySelector<HTMLElement>('[data-key="Ctrl s"] button');
        if (save === null) return; // the browser saves the page
        event.preventDefault();
        if (!isOpen) save.click();
        return;
      }
      if (palette.value !== null && !isOpen && !event.ctrlKey && !event.metaKey && !event.altKey) {
        if (typeAhead(event)) event.preventDefault();
        return;
      }
      if (!singleKeys.value || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      if (isOpen) return;
      const going = Date.now() - goPressedAt < CHORD_MS;
      goPressedAt = 0;
      const target = going ? NAVIGATION.find(({ key }) => key === event.key)?.href : undefined;
      if (target !== undefined) route(target);
      else if (event.key === "g") goPressedAt = Date.now();
      else if (event.key === "?") helpIsOpen.value = true;
      else if (event.key === "/") search();
      else if (event.key === ".") openRowActions();
      else if (event.key === "j" || event.key === "k") moveRow(event.key === "j" ? 1 : -1);
      else if (event.key.length === 1)
        document.querySelector<HTMLElement>(`[data-key="${CSS.escape(event.key)}"] button`)?.click();
      else return;
      if (event.key === "/") event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [route]);
  if (!helpIsOpen.value) return null;
  return (
    <Dialog title="Keys" onClose={() => (helpIsOpen.value = false)}>
      <dl class="keys">
        {NAVIGATION.map(({ key, word }) => (
          <Entry key={key} keys={["g", key]} does={`go to ${word}`} />
        ))}
        <Entry keys={["Ctrl K"]} does="search, or run something" />
        <Entry keys={["Ctrl S"]} does="save the report that is edited" />
        <Entry keys={["/"]} does="search in the list; where there is none, everywhere" />
        <Entry keys={["j", "k"]} does="next and previous row; Enter opens it" />
        <Entry keys={["."]} does="what can be done to the row" />
        <Entry keys={["r"]} does="run the job of this page" />
        <Entry keys={["e"]} does="edit it" />
        <Entry keys={["n"]} does="a new report, on Jobs" />
        <Entry keys={["Esc", "Tab"]} does="from the script to the next field" />
        <Entry keys={["?"]} does="this list" />
      </dl>
      <p class="soft small">Turn single keys off in the menu with your name.</p>
      <DialogClose />
    </Dialog>
  );
}

function Entry({ keys, does }: { keys: string[]; does: string }) {
  return (
    <>
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{does}</dd>
    </>
  );
}

function moveRow(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  rows[at === -1 ? (step > 0 ? 0 : rows.length - 1) : at + step]?.focus();
}

function search(): void {
  const field = document.querySelector<HTMLInputElement>("main input[type=search]");
  if (field === null) openPalette({});
  else field.focus();
}

function openRowActions(): void {
  const row = document.activeElement;
  if (row instanceof HTMLElement && row.dataset.job !== undefined) {
    openPalette({ job: row.dataset.job, run: row.dataset.run });
  }
}

/** Whether a key goes into a field. At the document the target of a key in a shadow root, such as the editor's, is its host. */
function isTyping(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement && (target.matches("input, textarea, select") || target.isContentEditable);
}
