// What differs between the results of two runs: rows that came, went or changed, and columns.
import type { ComponentChildren } from "preact";
import { useLocation, useRoute } from "preact-iso/router";
import { client, data, loadRun, type RunDetail, type Schemas } from "../api/client.ts";
import { blame, diffHref } from "../components/compare.tsx";
import { jobHref } from "../components/job-table.tsx";
import { Card, Page } from "../components/page.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { useResource } from "../store/resource.ts";
import { numberColumns } from "../words/cells.ts";
import { count, momentHere, number } from "../words/format.ts";

type Diff = Schemas["Diff"];

export function DiffPage() {
  const { params } = useRoute();
  const [one, other] = [params.id ?? "", params.other ?? ""];
  return <OneDiff key={`${one} ${other}`} one={one} other={other} />;
}

function OneDiff({ one, other }: { one: string; other: string }) {
  const { url } = useLocation();
  const key = new URLSearchParams(url.split("?")[1] ?? "").getAll("key");
  const runs = useResource<RunDetail[]>(`both runs ${one} ${other}`, (signal) =>
    Promise.all([loadRun(one, signal), loadRun(other, signal)]),
  );
  const diff = useResource<Diff>(`diff ${one} ${other} ${JSON.stringify(key)}`, (signal) => {
    const params = { path: { run_id: one, other_run_id: other }, query: { key: key.map(csvField) } };
    return data(client.GET("/runs/{run_id}/diff/{other_run_id}", { params, signal }));
  });
  const loaded = runs.data.value;
  const found = diff.data.value;
  // The earlier run comes first, however the address names them.
  const [before, after] =
    loaded === undefined
      ? []
      : (loaded[0]?.finished_at ?? "") <= (loaded[1]?.finished_at ?? "")
        ? loaded
        : loaded.toReversed();
  return (
    <Page
      title="What differs"
      above={
        before === undefined ? (
          <a href="/console/runs">Runs</a>
        ) : (
          <>
            <a href="/console/jobs">Jobs</a> / <a href={jobHref(before.job_name)}>{before.job_name}</a>
          </>
        )
      }
      sentence={found === undefined ? undefined : summary(found)}
    >
      <Loaded of={runs}>
        {() =>
          before === undefined || after === undefined ? null : (
            <Card>
              <dl class="facts">
                <Side word="Before" run={before} />
                <Side word="After" run={after} />
              </dl>
              {before.job_name === after.job_name ? (
                <p class="card-text">{blame(before, after)}</p>
              ) : (
                <p class="card-text">These are runs of two jobs.</p>
              )}
              <KeyChoice before={before} after={after} chosen={key} one={one} other={other} />
            </Card>
          )
        }
      </Loaded>
      <Loaded of={diff}>{(loadedDiff) => <Differences diff={loadedDiff} />}</Loaded>
    </Page>
  );
}

/** Returns a name as a field of a record of CSV, as which the API reads it (RFC 4180). */
function csvField(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function summary({ rows, key }: Diff): string {
  const { added, removed, changed, unchanged } = rows;
  if (added.count + removed.count + changed.count === 0) return `No row differs: ${count(unchanged, "row")} as before.`;
  const changes = key.length === 0 ? "" : `, ${number(changed.count)} changed`;
  return `${number(added.count)} added, ${number(removed.count)} removed${changes}; ${count(unchanged, "row")} as before.`;
}

function Side({ word, run }: { word: string; run: RunDetail }) {
  return (
    <div>
      <dt class="soft">{word}</dt>
      <dd>
        <a href={`/console/runs/${run.run_id}`}>
          {run.job_name}, {momentHere(run.scheduled_at)}
        </a>{" "}
        <span class="soft">
          version {run.job_version}, {run.rows === null ? "no result" : count(run.rows, "row")}
        </span>
      </dd>
    </div>
  );
}

interface KeyProperties {
  before: RunDetail;
  after: RunDetail;
  chosen: string[];
  one: string;
  other: string;
}

function KeyChoice({ before, after, chosen, one, other }: KeyProperties) {
  const { route } = useLocation();
  const columns = (before.columns ?? []).filter((column) => after.columns?.includes(column));
  if (columns.length === 0) return null;
  const toggle = (column: string) => {
    const wanted = chosen.includes(column) ? chosen.filter((other) => other !== column) : [...chosen, column];
    route(diffHref(one, other, wanted), true);
  };
  return (
    <fieldset class="choices card-text">
      <legend>Columns that identify a row; with them, rows that changed are distinguished from new ones</legend>
      {columns.map((column) => (
        <label key={column} class="check">
          <input type="checkbox" checked={chosen.includes(column)} onChange={() => toggle(column)} />
          <span>{column}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Differences({ diff }: { diff: Diff }) {
  const { columns, rows, key } = diff;
  return (
    <>
      {columns.added.count + columns.removed.count === 0 ? null : (
        <Card title="Columns">
          <ul class="list">
            {columns.added.count === 0 ? null : (
              <li>
                <span class="ok">added</span> {names(columns.added)}
              </li>
            )}
            {columns.removed.count === 0 ? null : (
              <li>
                <span class="bad">removed</span> {names(columns.removed)}
              </li>
            )}
          </ul>
        </Card>
      )}
      {rows.changed.count === 0 ? null : (
        <Rows title="Changed" of={rows.changed} head={[...key, "Column", "Before", "After"]}>
          {rows.changed.items.flatMap((row) =>
            row.cells.map((cell, index) => (
              <tr key={`${row.key.join("\0")} ${cell.column}`}>
                {row.key.map((value, at) => (
                  <td key={at} class={index === 0 ? undefined : "again"}>
                    {value}
                  </td>
                ))}
                <td>{cell.column}</td>
                <td>
                  <del>{cell.before}</del>
                </td>
                <td>
                  <ins>{cell.after}</ins>
                </td>
              </tr>
            )),
          )}
        </Rows>
      )}
      {rows.added.count === 0 ? null : <WholeRows kind="added" of={rows.added} head={columns.after} />}
      {rows.removed.count === 0 ? null : <WholeRows kind="removed" of={rows.removed} head={columns.before} />}
      {rows.added.count + rows.removed.count + rows.changed.count > 0 ? null : (
        <Card>
          <Empty title="No row differs." />
        </Card>
      )}
    </>
  );
}

function names({ count: many, items }: Schemas["CountedColumns"]): string {
  const rest = many - items.length;
  return `${items.join(", ")}${rest > 0 ? ` and ${number(rest)} more` : ""}`;
}

function WholeRows({ kind, of, head }: { kind: "added" | "removed"; of: Schemas["CountedRows"]; head: string[] }) {
  const isNumber = numberColumns(head.length, of.items);
  return (
    <Rows title={kind === "added" ? "Added" : "Removed"} of={of} head={head} isNumber={isNumber}>
      {of.items.map((cells, row) => (
        <tr key={row} class={kind}>
          {cells.map((cell, at) => (
            <td key={at} class={isNumber[at] ? "number" : undefined}>
              {cell}
            </td>
          ))}
        </tr>
      ))}
    </Rows>
  );
}

interface RowsProperties {
  title: string;
  of: { count: number; items: unknown[] };
  head: string[];
  isNumber?: boolean[];
  children: ComponentChildren;
}

function Rows({ title, of, head, isNumber, children }: RowsProperties) {
  return (
    <Card title={`${title}: ${count(of.count, "row")}`}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard */}
      <section class="scroll" tabIndex={0} aria-label={`${title} rows`}>
        <table class="result difference">
          <thead>
            <tr>
              {head.map((name, index) => (
                <th key={index} scope="col" class={isNumber?.[index] ? "number" : undefined}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </section>
      {of.items.length >= of.count ? null : (
        <p class="card-text small soft">
          The first {number(of.items.length)} of {number(of.count)} rows.
        </p>
      )}
    </Card>
  );
}
