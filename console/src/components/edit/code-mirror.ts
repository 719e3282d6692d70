// The script's editor: CodeMirror 6, loaded only where a script is edited. It lives in a shadow root, where its style sheets
// are adopted ones, so that the page's policy needs no exception.
import { autocompletion, type CompletionContext, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python, pythonLanguage } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export interface ScriptEditor {
  /** Marks a line with an error; undefined removes the mark. */
  setError(error: { line: number; message: string } | undefined): void;
  /** The names that the completion offers besides those that every script has. */
  setColumns(columns: readonly string[]): void;
  /** Puts the cursor into the editor, with a selection from one position to another. */
  focus(from: number, to: number): void;
  destroy(): void;
}

const NAMES = ["data", "sources", "previous", "job_name", "scheduled_at", "skip", "pd", "np"];

const THEME = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--card)", fontSize: "0.8125rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", minHeight: "14rem", maxHeight: "32rem" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--card)", color: "var(--soft)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--night-ground)",
  },
  ".cm-tooltip": { backgroundColor: "var(--card)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--night)", color: "var(--on-night)" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--bad)" },
});

const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword], color: "var(--night)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--ok)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--wait)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
]);

/** Replaces a selection itself: Chromium would keep its colours in a style attribute, which the page's policy refuses. */
function replaceSelection(event: InputEvent, view: EditorView): boolean {
  if (event.inputType !== "insertText" || event.data === null || event.isComposing) return false;
  if (view.state.selection.main.empty) return false;
  event.preventDefault();
  view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  return true;
}

const MODIFIERS = new Set(["Tab", "Shift", "Control", "Alt", "Meta"]);

/**
 * Lets Tab pass through, until somebody clicks into the script or types: who goes through the form by keyboard neither
 * changes the script nor is caught in it. After Escape Tab passes again, for as long as nothing is typed.
 */
function tabPasses() {
  let keepsMode = false;
  // Observers see each event, also one that a key binding takes.
  return EditorView.domEventObservers({
    mousedown: (_, view) => {
      keepsMode = true; // the focus comes after it
      view.setTabFocusMode(false);
    },
    blur: () => {
      keepsMode = !document.hasFocus(); // another window has it, and gives it back
    },
    focus: (_, view) => {
      if (!keepsMode) view.setTabFocusMode(true);
      keepsMode = false;
    },
    keydown: (event, view) => {
      if (MODIFIERS.has(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
      view.setTabFocusMode(event.key === "Escape");
    },
  });
}

export function createEditor(
  host: HTMLElement,
  text: string,
  onChange: (text: string) => void,
  readOnly: boolean,
): ScriptEditor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  let columns: readonly string[] = [];
  const complete = (context: CompletionContext) => {
    const word = context.matchBefore(/[\w]+/);
    if (word === null && !context.explicit) return null;
    const names = columns.map((label) => ({ label, type: "property", detail: "column" }));
    return {
      from: word?.from ?? context.pos,
      options: [...names, ...NAMES.map((label) => ({ label, type: "variable" }))],
    };
  };
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("    "),
        bracketMatching(),
        highlightActiveLine(),
        python(),
        pythonLanguage.data.of({ autocomplete: complete }),
        autocompletion(),
        lintGutter(),
        syntaxHighlighting(COLOURS),
        THEME,
        EditorView.lineWrapping,
        EditorState.readOnly.of(readOnly),
        EditorView.contentAttributes.of({ "aria-label": "Script. Escape and then Tab leaves it." }),
        EditorView.domEventHandlers({ beforeinput: replaceSelection }),
        tabPasses(),
        keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    setError(error) {
      const found: Diagnostic[] = [];
      if (error !== undefined && error.line >= 1 && error.line <= view.state.doc.lines) {
        const { from, to } = view.state.doc.line(error.line);
        found.push({ from, to, severity: "error", message: error.message });
      }
      view.dispatch(setDiagnostics(view.state, found));
    },
    setColumns(next) {
      columns = next;
    },
    focus(from, to) {
      view.dispatch({ selection: { anchor: from, head: to } });
      view.focus();
      view.setTabFocusMode(false); // it goes on with what is typed
    },
    destroy() {
      view.destroy();
    },
  };
}
