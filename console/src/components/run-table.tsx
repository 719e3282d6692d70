import type { Run } from "../api/client.ts";
import { count, HERE, milliseconds, moment, number, zoneName } from "../words/format.ts";
import { stateOfRun } from "../words/status.ts";
import { Choose, type Selection } from "./bulk.tsx";
import { jobHref } from "./job-table.tsx";
import { Status } from "./status.tsx";
import { Table } from "./table.tsx";

interface Properties {
  runs: Run[];
  timezone?: string;
  caption: string;
  /** The rows can be chosen. */
  selection?: Selection;
}

/** Runs as rows, newest first. Without a zone, times are the reader's. */
export function RunTable({ runs, timezone, caption, selection }: Properties) {
  const ofOneJob = timezone !== undefined;
  return (
    <Table
      class="rows"
      caption={caption}
      columns={[
        `Due (${zoneName(timezone ?? HERE)})`,
        ...(ofOneJob ? [] : ["Job"]),
        "State",
        { numbers: "Rows" },
        { numbers: "Took" },
        "Mail",
      ]}
    >
      {runs.map((run) => (
        <tr key={run.run_id}>
          <th scope="row" class="nowrap">
            <Choose
              selection={selection}
              id={run.run_id}
              label={`the run of ${run.job_name}, ${moment(run.scheduled_at, timezone)}`}
            />
            <a href={`/console/runs/${run.run_id}`} data-row data-job={run.job_name} data-run={run.run_id}>
              {moment(run.scheduled_at, timezone)}
            </a>
            {run.trigger === "manual" ? <span class="soft small"> by hand</span> : null}
            {run.late ? <span class="wait small"> late</span> : null}
          </th>
          {ofOneJob ? null : (
            <td class="wide job self" data-label="Job">
              <a href={jobHref(run.job_name)}>{run.job_name}</a>
            </td>
          )}
          <td class="wide self" data-label="State">
            <div>
              <Status of={stateOfRun(run)} />
              {run.error === null ? null : <p class="small error-line">{run.error.message}</p>}
              {run.skipped === null ? null : <p class="small soft">{run.skipped.detail}</p>}
            </div>
          </td>
          <td class="number" data-label="Rows">
            {run.rows === null ? <span class="soft">–</span> : number(run.rows)}
          </td>
          <td class="number nowrap" data-label="Took">
            {run.timings === null ? <span class="soft">–</span> : milliseconds(run.timings.total_ms)}
          </td>
          <td class="nowrap" data-label="Mail">
            {mailWords(run)}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function mailWords(run: Run): string {
  const results = run.mails.filter((mail) => mail.kind === "result");
  if (results.length === 0) {
    const notified = run.mails.filter((mail) => mail.kind === "failure" && mail.outcome === "accepted").length;
    return notified > 0 ? `${count(notified, "person", "people")} notified` : "–";
  }
  return `${results.filter((mail) => mail.outcome === "accepted").length}/${results.length} accepted`;
}
