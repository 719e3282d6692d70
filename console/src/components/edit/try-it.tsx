import { type ApiError, client, data, type Schemas } from "../../api/client.ts";
import type { Definition } from "../../store/draft.ts";
import { numberColumns } from "../../words/cells.ts";
import { count, milliseconds, number } from "../../words/format.ts";
import { Empty, Failure } from "../states.tsx";

export type Tried = Schemas["PreviewResponse"];

/** What the last try of a draft gave. The last good result stays beside an error, greyed. */
export interface TryState {
  running: boolean;
  last: Tried | null;
  good: Tried | null;
  problem: ApiError | null;
}

export const NOT_TRIED: TryState = { running: false, last: null, good: null, problem: null };

/** What a try needs of a draft: a schedule or an address that is still being typed does not disturb it. */
const TRIED_FIELDS = [
  "job_name",
  "description",
  "data_source",
  "more_sources",
  "processing_script",
  "timezone",
  "csv",
  "csv_formulas",
  "attachments",
  "subject",
  "message",
  "sender_name",
] as const;

/**
 * Runs the draft without saving it, and renders its mail: no event says so, and nothing is sent but to `sendTo`.
 * With the id of a sample it runs on that, and fetches nothing.
 */
export function tryDraft(
  definition: Definition,
  sampleId: string | null,
  sendTo: string | null,
  signal: AbortSignal,
): Promise<Tried> {
  const fields = TRIED_FIELDS.map((name) => [name, definition[name]]).filter(
    ([, value]) => value != null && value !== "",
  );
  const body = {
    ...Object.fromEntries(fields),
    sample_id: sampleId,
    send_to: sendTo,
    with_mail: true,
  } as unknown as Schemas["PreviewDefinition"];
  return data(client.POST("/jobs/preview", { body, signal }));
}

export function TryResult({ state, retry }: { state: TryState; retry: () => void }) {
  const { last, good, problem, running } = state;
  if (problem !== null && problem.fields.length === 0) return <Failure error={problem} retry={retry} hasData={false} />;
  if (last === null) {
    return (
      <Empty title={running ? "Trying…" : "Not tried yet."}>
        {running ? null : "Try fetches the data and runs the script. Nothing is saved, and nobody gets a mail."}
      </Empty>
    );
  }
  return (
    <div class="tried" aria-busy={running}>
      {last.error === null ? null : (
        <p class="notice bad" role="alert">
          <span>
            <strong>
              {last.error.stage}
              {last.error.line == null ? "" : `, line ${last.error.line}`}:
            </strong>{" "}
            {last.error.message}
          </span>
        </p>
      )}
      {last.skipped === null ? null : <p class="notice wait">The script ends the run without mail: {last.skipped}</p>}
      {good === null ? null : <Table tried={good} isOld={last.error !== null} />}
      {last.figures.map((figure) =>
        figure.png === null ? null : (
          <img key={figure.alt} class="figure" alt={figure.alt} src={`data:image/png;base64,${figure.png}`} />
        ),
      )}
      {last.notes.length === 0 ? null : (
        <ul class="small card-text">
          {last.notes.map((note) => (
            <li key={note.text}>
              <span class="wait">{note.stage}:</span> {note.text}
            </li>
          ))}
        </ul>
      )}
      {last.log === "" ? null : (
        <details class="card-text">
          <summary>What the script printed</summary>
          <pre class="output">{last.log}</pre>
        </details>
      )}
    </div>
  );
}

function Table({ tried, isOld }: { tried: Tried; isOld: boolean }) {
  const columns = tried.columns ?? [];
  const rows = tried.first_rows ?? [];
  const isNumber = numberColumns(columns.length, rows);
  const took = tried.timings === null ? "" : ` in ${milliseconds(tried.timings.total_ms)}`;
  return (
    <div class={isOld ? "old" : undefined}>
      <p class="small card-text">
        {count(tried.rows ?? 0, "row")}
        {took}
        {rows.length < (tried.rows ?? 0) ? `; the first ${number(rows.length)} are shown` : ""}
        {isOld ? ", from before the error" : ""}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard */}
      <section class="scrolls" aria-label="Result" tabIndex={0}>
        <table class="cells">
          <thead>
            <tr>
              {columns.map((column, index) => (
                <th key={index} scope="col" class={isNumber[index] ? "number" : undefined}>
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                {row.map((cell, at) => (
                  <td key={at} class={isNumber[at] ? "number" : undefined}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}
