import { useState } from "preact/hooks";
import { client, data, type RunDetail, type Schemas } from "../api/client.ts";
import { useResource } from "../store/resource.ts";
import { bytes, count, number } from "../words/format.ts";
import { Loaded } from "./states.tsx";

/** Rows that the page shows; the file has all. */
const SHOWN = 200;
const NUMERIC: ReadonlySet<string> = new Set(["integer", "number"]);

/** The first rows of a run's result by any column, and the file. */
export function ResultTable({ run }: { run: RunDetail }) {
  // `column` for the smallest first, `-column` for the largest; undefined: as mailed.
  const [sort, setSort] = useState<string | undefined>();
  const rows = useResource(`result of ${run.run_id} by ${sort ?? ""}`, (signal) => {
    // JavaScript would write 183.0 as 183, and a decimal comma as a point.
    const query = { limit: SHOWN, cells: "texts", ...(sort === undefined ? {} : { sort }) } as const;
    return data(client.GET("/runs/{run_id}/rows", { params: { path: { run_id: run.run_id }, query }, signal }));
  });
  const size = run.bytes === null ? "" : `, ${bytes(run.bytes)}`;
  return (
    <>
      <p class="card-text small">
        {count(run.rows ?? 0, "row")}
        {size} ·{" "}
        <a href={`/runs/${run.run_id}/result`} download={`${run.job_name}.csv`}>
          Download CSV
        </a>
      </p>
      <Loaded of={rows}>{(page) => <Rows page={page} sort={sort} onSort={setSort} />}</Loaded>
    </>
  );
}

interface RowsProperties {
  page: Schemas["ResultRowPage"];
  sort: string | undefined;
  onSort: (sort: string) => void;
}

function Rows({ page, sort, onSort }: RowsProperties) {
  const isNumeric = page.columns.map(({ type }) => NUMERIC.has(type));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard
    <section class="scroll" tabIndex={0} aria-label="Result">
      <table class="result">
        <thead>
          <tr>
            {page.columns.map(({ name }, index) => {
              const order = sort === name ? "ascending" : sort === `-${name}` ? "descending" : undefined;
              return (
                <th key={name} scope="col" aria-sort={order} class={isNumeric[index] ? "number" : undefined}>
                  <button type="button" onClick={() => onSort(order === "ascending" ? `-${name}` : name)}>
                    {name}
                    <span aria-hidden="true">{order === undefined ? "" : order === "ascending" ? " ▲" : " ▼"}</span>
                  </button>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {page.rows.map((cells, row) => (
            <tr key={row}>
              {cells.map((cell: unknown, index) => (
                <td key={index} class={isNumeric[index] ? "number" : undefined}>
                  {cell as string | null}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {page.total <= SHOWN ? null : (
        <p class="card-text small soft">
          The first {number(page.rows.length)} of {number(page.total)} rows.
        </p>
      )}
    </section>
  );
}
