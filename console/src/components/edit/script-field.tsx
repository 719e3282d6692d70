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
 * `text` is where the editor begins: from then on it is ahead of the page, which must not set it back.
 */
export function ScriptField({ text, onChange, columns, error, readOnly }: Properties) {
  const host = useRef<HTMLDivElement>(null);
  const [editor, setEditor] = useState<ScriptEditor | null>(null);
  const latest = useRef({ text, onChange });
  latest.current = { text, onChange };
  useEffect(() => {
    let made: ScriptEditor | undefined;
    let gone = false;
    void import("./code-mirror.ts").then(({ createEditor }) => {
      if (gone || host.current === null) return;
      made = createEditor(host.current, latest.current.text, (next) => latest.current.onChange(next), readOnly);
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
          class="mono code-plain"
          aria-label="Script"
          rows={12}
          value={text}
          readOnly={readOnly}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      ) : null}
    </>
  );
}
