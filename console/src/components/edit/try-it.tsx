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

/** What the script gets as `data`. */
export interface DataFacts {
  rows: number;
  columns: readonly string[];
}

/** Prints the number of rows, and returns a table without rows that has the columns. */
const DESCRIBE_DATA = "print(len(data))\nreturn data.head(0)\n";
const SOURCE_FIELDS = ["data_source", "more_sources", "timezone"] as const;

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
  return preview({ ...given(definition, TRIED_FIELDS), sample_id: sampleId, send_to: sendTo, with_mail: true }, signal);
}

/** Returns what a sample has; null if it cannot be read any more. */
export async function describeData(
  definition: Definition,
  sampleId: string,
  signal: AbortSignal,
): Promise<DataFacts | null> {
  const fields = { ...given(definition, SOURCE_FIELDS), processing_script: DESCRIBE_DATA, sample_id: sampleId };
  const { columns, log } = await preview(fields, signal);
  return columns === null ? null : { rows: Number.parseInt(log, 10), columns };
}

function given(definition: Definition, names: readonly (keyof Definition)[]): object {
  const fields = names.map((name) => [name, definition[name]]);
  return Object.fromEntries(fields.filter(([, value]) => value != null && value !== ""));
}

function preview(fields: object, signal: AbortSignal): Promise<Tried> {
  return data(client.POST("/jobs/preview", { body: fields as Schemas["PreviewDefinition"], signal }));
}

/** Says how many rows a script gets, and their columns. */
export function DataWords({ facts }: { facts: DataFacts | null }) {
  return (
    <p class="card-text small soft" role="status">
      {facts === null
        ? null
        : `${count(facts.rows, "row")} · ${count(facts.columns.length, "column")}: ${facts.columns.join(", ")}`}
    </p>
  );
}

export function TryResult({ state, retry }: { state: TryState; retry: () => void }) {
  const { last, good, problem, running } = state;
  if (problem !== null && problem.fields.length === 0) return <Failure error={problem} retry={retry} />;
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
  const isText = new Set(tried.text_columns ?? []);
  const isNumber = numberColumns(columns.length, rows).map((looksSo, index) => looksSo && !isText.has(index));
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
