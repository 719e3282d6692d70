import { useRef, useState } from "preact/hooks";
import { client, data, type RunDetail, type Schemas } from "../api/client.ts";
import { useResource } from "../store/resource.ts";
import { bytes, count, number } from "../words/format.ts";
import { Loaded } from "./states.tsx";

type Page = Schemas["ResultRowPage"];

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
  // Until the rows of another order are there, the old ones stay: the focus is on the head of one of their columns.
  const shown = useRef<{ of: string; page: Page; sort: string | undefined } | null>(null);
  if (rows.data.value !== undefined) shown.current = { of: run.run_id, page: rows.data.value, sort };
  const before = shown.current?.of === run.run_id ? shown.current : undefined;
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
      <Loaded of={rows} before={before?.page}>
        {(page) => (
          <Rows
            page={page}
            isOld={rows.data.value === undefined}
            sort={before?.sort}
            onSort={(column) => setSort(sort === column ? `-${column}` : column)}
          />
        )}
      </Loaded>
    </>
  );
}

interface RowsProperties {
  page: Page;
  /** Whether rows in another order are on their way. */
  isOld: boolean;
  /** The order of these rows. */
  sort: string | undefined;
  onSort: (column: string) => void;
}

function Rows({ page, isOld, sort, onSort }: RowsProperties) {
  const isNumeric = page.columns.map(({ type }) => NUMERIC.has(type));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard
    <section class="scroll" tabIndex={0} aria-label="Result">
      <table class="result" aria-busy={isOld}>
        <thead>
          <tr>
            {page.columns.map(({ name }, index) => {
              const order = sort === name ? "ascending" : sort === `-${name}` ? "descending" : undefined;
              return (
                <th key={name} scope="col" aria-sort={order} class={isNumeric[index] ? "number" : undefined}>
                  <button type="button" onClick={() => onSort(name)}>
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
