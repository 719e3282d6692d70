import type { JobSummary } from "../api/client.ts";
import { now } from "../store/clock.ts";
import { clock, moment, number, soon, zoneName } from "../words/format.ts";
import { addressColumn, resultAddresses } from "../words/recipients.ts";
import { scheduleLines } from "../words/schedule.ts";
import { stateOfLastRun } from "../words/status.ts";
import { Choose, type Selection } from "./bulk.tsx";
import { Status, Strip } from "./status.tsx";
import { Table } from "./table.tsx";

export function jobHref(name: string): string {
  return `/console/jobs/${encodeURIComponent(name)}`;
}

/** Says whether an event makes a list of jobs old: their next due times and last fates come from the API. */
export function changesJobs({ type }: { type: string }): boolean {
  return (
    type.startsWith("job-") ||
    ["run-requested", "run-failed", "mail-sent", "mail-failed", "mail-skipped"].includes(type)
  );
}

interface Properties {
  jobs: JobSummary[];
  caption: string;
  /** The rows can be chosen. */
  selection?: Selection;
}

/** Jobs as rows: the state of the last run, its rows, and when the next one is due. */
export function JobTable({ jobs, caption, selection }: Properties) {
  return (
    <Table
      class="rows"
      caption={caption}
      columns={["Job", "Last 12", "Last run", { numbers: "Rows" }, "Next", { numbers: "Recipients" }]}
    >
      {jobs.map((job) => (
        <Row key={job.job_id} job={job} selection={selection} />
      ))}
    </Table>
  );
}

function Row({ job, selection }: { job: JobSummary; selection: Selection | undefined }) {
  const last = job.last_run;
  return (
    <tr>
      <th scope="row">
        <span class="chosen">
          <Choose selection={selection} id={job.job_name} label={job.job_name} />
          <a href={jobHref(job.job_name)} data-row data-job={job.job_name}>
            {job.job_name}
          </a>
        </span>
      </th>
      <td class="wide self" data-label="Last 12">
        <Strip fates={job.fates.map((fate) => stateOfLastRun(fate, job)).toReversed()} />
      </td>
      <td class="wide self" data-label="Last run">
        {last === null ? (
          <span class="soft">has not run yet</span>
        ) : (
          <a class="plain-link nowrap" href={`/console/runs/${last.run_id}`}>
            <Status of={stateOfLastRun(last, job)}>
              <span class="soft"> {lastWords(last.finished_at ?? last.requested_at ?? last.scheduled_at)}</span>
            </Status>
          </a>
        )}
      </td>
      <td class="number" data-label="Rows">
        {last?.rows == null ? <span class="soft">–</span> : number(last.rows)}
      </td>
      <td class="wide" data-label="Next">
        <Next job={job} />
      </td>
      <td class="number" data-label="Recipients">
        <Recipients job={job} />
      </td>
    </tr>
  );
}

function Recipients({ job }: { job: JobSummary }) {
  const column = addressColumn(job);
  if (column === undefined) return <>{number(resultAddresses(job).length)}</>;
  return (
    <span class="soft" title={`the column ${column} has the addresses`}>
      by row
    </span>
  );
}

function Next({ job }: { job: JobSummary }) {
  if (job.status === "paused") return <Status of="paused" />;
  if (job.next_run === null) return <span class="soft">never again</span>;
  return (
    <span class="nowrap" title={`${scheduleLines(job).join(", ")} in ${job.timezone}`}>
      {soon(job.next_run, now.value) ?? moment(job.next_run, job.timezone)}{" "}
      <span class="soft">{zoneName(job.timezone)}</span>
    </span>
  );
}

function lastWords(time: string): string {
  return soon(time, now.value) ?? (moment(time).startsWith("today") ? clock(time) : moment(time));
}
