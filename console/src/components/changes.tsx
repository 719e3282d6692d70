// What differs between two versions of a job, field by field; a script line by line.
import type { Version } from "../api/client.ts";
import { diffLines, type Line, withContext } from "../words/line-diff.ts";

export type Change = Version["changes"][number];

const MARKS: Record<Line["kind"], string> = { same: " ", added: "+", removed: "−", cut: "⋯" };
const WORDS: Partial<Record<Line["kind"], string>> = { added: "added: ", removed: "removed: ", cut: "lines not shown" };

/** `open`: the lines of the script are shown at once, where they are what the page is about. */
export function Changes({ changes, open = false }: { changes: Change[]; open?: boolean }) {
  return (
    <ul class="changes small">
      {changes.map((change) =>
        change.field === "processing_script" ? (
          <li key={change.field}>
            <ScriptChange before={String(change.before ?? "")} after={String(change.after ?? "")} open={open} />
          </li>
        ) : (
          <li key={change.field}>
            {change.field.replaceAll("_", " ")}: <span class="soft">{shown(change.before)}</span>{" "}
            <span aria-hidden="true">→</span>
            <span class="visually-hidden"> becomes </span> {shown(change.after)}
          </li>
        ),
      )}
    </ul>
  );
}

function ScriptChange({ before, after, open }: { before: string; after: string; open: boolean }) {
  const lines = diffLines(before, after);
  const many = (kind: Line["kind"]) => lines.filter((line) => line.kind === kind).length;
  return (
    <details open={open}>
      <summary>
        script <span class="ok">+{many("added")}</span> <span class="bad">−{many("removed")}</span>
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line scrolls, also by keyboard */}
      <section class="diff" aria-label="Changed lines of the script" tabIndex={0}>
        <ol>
          {withContext(lines).map(({ kind, text }, index) => (
            <li key={index} class={kind}>
              <span class="mark" aria-hidden="true">
                {MARKS[kind]}
              </span>
              <span class="visually-hidden">{WORDS[kind]}</span>
              <code>{text}</code>
            </li>
          ))}
        </ol>
      </section>
    </details>
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined || value === "") return "none";
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(", ") || "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
