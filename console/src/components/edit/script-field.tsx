import { useEffect, useRef, useState } from "preact/hooks";
import type { ScriptEditor } from "./code-mirror.ts";

interface Properties {
  text: string;
  onChange: (text: string) => void;
  columns: readonly string[];
  error: { line: number; message: string } | undefined;
  readOnly: boolean;
}

/**
 * The script in an editor, which is loaded with the first script; until then, and if it cannot be loaded, as plain text.
 * Who types while it loads goes on in the editor: it takes over the focus and the selection at once, not with the next
 * drawing of the page. `text` is where the editor begins: from then on it is ahead of the page, which must not set it back.
 */
export function ScriptField({ text, onChange, columns, error, readOnly }: Properties) {
  const host = useRef<HTMLDivElement>(null);
  const plain = useRef<HTMLTextAreaElement>(null);
  const [editor, setEditor] = useState<ScriptEditor | null>(null);
  const latest = useRef({ text, onChange });
  latest.current = { text, onChange };
  useEffect(() => {
    let made: ScriptEditor | undefined;
    let gone = false;
    void import("./code-mirror.ts").then(({ createEditor }) => {
      if (gone || host.current === null) return;
      const typed = plain.current?.value ?? latest.current.text;
      made = createEditor(host.current, typed, (next) => latest.current.onChange(next), readOnly);
      if (plain.current !== null && document.activeElement === plain.current)
        made.focus(plain.current.selectionStart, plain.current.selectionEnd);
      setEditor(made);
    });
    return () => {
      gone = true;
      made?.destroy();
    };
  }, []);
  useEffect(() => editor?.setColumns(columns), [editor, columns]);
  useEffect(() => editor?.setError(error), [editor, error?.line, error?.message]);
  return (
    <>
      <div ref={host} class="code" />
      {editor === null ? (
        <textarea
          ref={plain}
          class="mono code-plain"
          aria-label="Script"
          rows={12}
          value={text}
          readOnly={readOnly}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      ) : null}
      <p class="code-keys small soft">Tab indents while you type; Escape and then Tab goes to the next field.</p>
    </>
  );
}
