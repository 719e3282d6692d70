import { client, data, type RunDetail } from "../api/client.ts";
import { useResource } from "../store/resource.ts";
import { parseCsv } from "../words/csv.ts";
import { bytes, count } from "../words/format.ts";
import { Empty, Loaded } from "./states.tsx";

/** Rows that the page shows; the file has all. */
const SHOWN = 200;
/** A larger file is offered for download only: a page would take seconds to read it. */
const MAX_BYTES = 2_000_000;

/** The first rows of a run's result, and the file. */
export function ResultTable({ run }: { run: RunDetail }) {
  const href = `/runs/${run.run_id}/result`;
  const size = run.bytes === null ? "" : `, ${bytes(run.bytes)}`;
  return (
    <>
      <p class="card-text small">
        {count(run.rows ?? 0, "row")}
        {size} ·{" "}
        <a href={href} download={`${run.job_name}.csv`}>
          Download CSV
        </a>
      </p>
      {run.bytes !== null && run.bytes > MAX_BYTES ? (
        <Empty title="The result is too large to show here.">Download it to see it.</Empty>
      ) : (
        <Rows run={run} />
      )}
    </>
  );
}

function Rows({ run }: { run: RunDetail }) {
  const rows = useResource(`result of ${run.run_id}`, async (signal) => {
    const params = { path: { run_id: run.run_id } };
    const text = await data(client.GET("/runs/{run_id}/result", { params, parseAs: "text", signal }));
    return parseCsv(text, SHOWN + 1);
  });
  return (
    <Loaded of={rows}>
      {([head = [], ...body]) => (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard
        <section class="scroll" tabIndex={0} aria-label="Result">
          <table class="result">
            <thead>
              <tr>
                {head.map((name, index) => (
                  <th key={index} scope="col" class={isNumber(body, index) ? "number" : undefined}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {body.map((cells, row) => (
                <tr key={row}>
                  {cells.map((cell, index) => (
                    <td key={index} class={isNumber(body, index) ? "number" : undefined}>
                      {cell}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {(run.rows ?? 0) > SHOWN ? <p class="card-text small soft">The first {SHOWN} rows.</p> : null}
        </section>
      )}
    </Loaded>
  );
}

function isNumber(rows: string[][], column: number): boolean {
  return rows.every((row) => /^-?\d*\.?\d*(e[+-]?\d+)?$/i.test(row[column] ?? ""));
}
