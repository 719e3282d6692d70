import { useState } from "preact/hooks";
import { useLocation, useRoute } from "preact-iso/router";
import { client, data, type Job, type Run } from "../api/client.ts";
import { Button } from "../components/button.tsx";
import { type Command, Commands } from "../components/commands.tsx";
import { DefinitionTab } from "../components/definition.tsx";
import { DeleteJob } from "../components/delete-job.tsx";
import { History } from "../components/history.tsx";
import { jobHref } from "../components/job-table.tsx";
import { Ledger } from "../components/ledger.tsx";
import { Card, Page } from "../components/page.tsx";
import { RunTable } from "../components/run-table.tsx";
import { Script } from "../components/script.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { Status } from "../components/status.tsx";
import { Tabs } from "../components/tabs.tsx";
import { Versions } from "../components/versions.tsx";
import { pauseJob, resumeJob, runJob } from "../store/actions.ts";
import { foldJob, foldRun } from "../store/fold.ts";
import { type Resource, useResource } from "../store/resource.ts";
import { count, momentInZone, number, sentenceEnd } from "../words/format.ts";
import { addressColumn, allRecipients } from "../words/recipients.ts";
import { stateOfLastRun, stateOfRun } from "../words/status.ts";

/** Runs that the list and the chart show. */
const RUNS = 60;

/** null: the job was deleted while the page was open. */
type Found = Job | null;

export function JobPage() {
  const { params } = useRoute();
  const name = params.name ?? "";
  return <OneJob key={name} name={name} />;
}

function OneJob({ name }: { name: string }) {
  const path = { job_name: name };
  const isMine = (event: { job_name: string }) => event.job_name === name;
  const job = useResource<Found>(
    `job ${name}`,
    (signal) => data(client.GET("/jobs/{job_name}", { params: { path }, signal })),
    {
      fold: (found, event) => (found !== null && isMine(event) ? foldJob(found, event) : found),
      // A job that is gone is not asked for: the API has no answer but an error.
      touches: (event) =>
        isMine(event) &&
        (event.type === "run-requested" ||
          (event.type.startsWith("job-") && !["job-deleted", "job-erased"].includes(event.type))),
    },
  );
  const runs = useResource<Run[]>(
    `runs of ${name}`,
    async (signal) => {
      const query = { limit: RUNS };
      return (await data(client.GET("/jobs/{job_name}/runs", { params: { path, query }, signal }))).items;
    },
    {
      fold: (all, event) => (isMine(event) ? foldIntoRuns(all, event) : all),
      touches: (event) => isMine(event) && event.type.startsWith("run-"),
    },
  );
  const found = job.data.value;
  return (
    <Page
      title={name}
      above={<a href="/console/jobs">Jobs</a>}
      actions={found ? <Actions job={found} /> : undefined}
      sentence={found ? <Sentence job={found} runs={runs.data.value ?? []} /> : undefined}
    >
      <Loaded of={job}>
        {(loaded) =>
          loaded === null ? (
            <Card>
              <Empty title="This job was deleted.">
                Its <a href={`/console/runs?job=${encodeURIComponent(name)}`}>runs</a> stay readable.
              </Empty>
            </Card>
          ) : (
            <Content job={loaded} runs={runs} />
          )
        }
      </Loaded>
    </Page>
  );
}

function foldIntoRuns(all: Run[], event: Parameters<typeof foldRun>[1]): Run[] {
  const at = all.findIndex((run) => run.run_id === event.run_id);
  const folded = foldRun(all[at], event);
  if (folded === undefined) return all;
  return at === -1 ? [folded, ...all].slice(0, RUNS) : all.with(at, folded);
}

function Actions({ job }: { job: Job }) {
  const { route } = useLocation();
  const [deleting, setDeleting] = useState(false);
  const name = job.job_name;
  return (
    <>
      <span data-key="r">
        <Button kind="primary" need="edit" onAct={() => runJob(name)}>
          Run now
        </Button>
      </span>
      <span data-key="e">
        <Button need="edit" onAct={() => route(`${jobHref(name)}/edit`)}>
          Edit
        </Button>
      </span>
      {job.status === "paused" ? (
        <Button need="edit" onAct={() => resumeJob(name)}>
          Resume
        </Button>
      ) : (
        <Button need="edit" onAct={() => pauseJob(name)}>
          Pause
        </Button>
      )}
      <Button need="edit" onAct={() => setDeleting(true)}>
        Delete…
      </Button>
      <Commands of={commandsOf(job)} />
      {deleting ? <DeleteJob name={name} onClose={() => setDeleting(false)} goesTo="/console/jobs" /> : null}
    </>
  );
}

function commandsOf({ job_name, status, version }: Job): Command[] {
  return [
    ["Run it now, and wait for the end", "jobs", "run", job_name, "--wait"],
    ["Edit it, with a preview", "jobs", "edit", job_name],
    status === "paused" ? ["Resume it", "jobs", "resume", job_name] : ["Pause it", "jobs", "pause", job_name],
    ["Show it", "jobs", "show", job_name],
    ["Write it to a job file in the folder jobs", "jobs", "pull", job_name],
    ["List its runs", "runs", "list", "--job", job_name],
    ["List its versions", "jobs", "versions", job_name],
    ...(version > 1
      ? [["Restore the version before", "jobs", "rollback", job_name, `${version - 1}`] satisfies Command]
      : []),
    ["Follow its events", "events", "tail", "--job", job_name],
    ["Delete it; its runs stay readable", "jobs", "delete", job_name],
  ];
}

/** What the job did last and does next, in words. */
function Sentence({ job, runs }: { job: Job; runs: Run[] }) {
  const mails = runs.find(({ run_id }) => run_id === job.last_run?.run_id)?.mails;
  return (
    <>
      <LastWords job={job} mails={mails} />{" "}
      {job.status === "paused"
        ? "It is paused."
        : job.next_run === null
          ? "It is never due again."
          : `${job.last_run === null ? "Due first" : "Next"}: ${momentInZone(job.next_run, job.timezone)}.`}
    </>
  );
}

/** `mails`: those of the last run; undefined until its runs are loaded. */
function LastWords({ job, mails }: { job: Job; mails: Run["mails"] | undefined }) {
  const last = job.last_run;
  if (last === null) return <>Has not run yet.</>;
  const when = momentInZone(last.finished_at ?? last.requested_at ?? last.scheduled_at, job.timezone);
  const rows = count(last.rows ?? 0, "row");
  switch (last.status) {
    case "delivered":
      return (
        <>
          <Status of={mails === undefined ? stateOfLastRun(last, job) : stateOfRun({ ...last, mails })} /> {rows} {when}
          {mails === undefined ? "" : whoGotIt(last.rows ?? 0, mails)}.
        </>
      );
    case "failed":
      return (
        <>
          <Status of="failed" /> {when}: {sentenceEnd(last.error?.message ?? "no reason is known")}
        </>
      );
    case "undelivered":
      return (
        <>
          <Status of="undelivered" /> {when}: {rows}, but no mail server took the mail.
        </>
      );
    default:
      return (
        <>
          <Status of={last.status} /> {when}.
        </>
      );
  }
}

/** Says how many people a mail server accepted the result for, as the end of a sentence about its rows. */
function whoGotIt(rows: number, mails: Run["mails"]): string {
  const results = mails.filter(({ kind }) => kind === "result");
  if (results.length === 0) return rows === 0 ? ", so nobody got a mail" : ", but no mail was to be sent";
  const people = new Set(results.map(({ address }) => address)).size;
  const accepted = new Set(results.filter(({ outcome }) => outcome === "accepted").map(({ address }) => address)).size;
  return `, to ${accepted === people ? "" : `${number(accepted)} of `}${count(people, "person", "people")}`;
}

function Content({ job, runs }: { job: Job; runs: Resource<Run[]> }) {
  return (
    <>
      {job.description ? <p class="prose soft">{job.description}</p> : null}
      <Warnings of={job.warnings} />
      <div class="columns">
        <Ledger jobName={job.job_name} timezone={job.timezone} />
        <Card title="Rows">
          <Loaded of={runs}>{(all) => <History runs={all} timezone={job.timezone} />}</Loaded>
        </Card>
      </div>
      <Tabs
        label="About this job"
        tabs={[
          { id: "runs", word: "Runs", content: () => <Runs job={job} runs={runs} /> },
          {
            id: "recipients",
            word: "Recipients",
            many: allRecipients(job).length,
            content: () => <Recipients job={job} />,
          },
          { id: "script", word: "Script", content: () => <Script text={job.processing_script} /> },
          { id: "definition", word: "Definition", content: () => <DefinitionTab job={job} /> },
          { id: "versions", word: "Versions", many: job.version, content: () => <Versions jobName={job.job_name} /> },
        ]}
      />
    </>
  );
}

/** What is allowed in a job and probably wrong. */
function Warnings({ of }: { of: Job["warnings"] }) {
  if (of.length === 0) return null;
  return (
    <ul class="notice wait" aria-label="What is probably wrong">
      {of.map(({ field, detail }) => (
        <li key={`${field} ${detail}`}>
          <strong>{field.replaceAll("_", " ")}:</strong> {detail}
        </li>
      ))}
    </ul>
  );
}

function Runs({ job, runs }: { job: Job; runs: Resource<Run[]> }) {
  return (
    <Loaded of={runs}>
      {(all) =>
        all.length === 0 ? (
          <Empty title="Has not run yet.">
            {job.next_run === null ? null : `Due first ${momentInZone(job.next_run, job.timezone)}. `}
            <strong>Run now</strong> shows what comes out.
          </Empty>
        ) : (
          <>
            <RunTable runs={all} timezone={job.timezone} caption={`Runs of ${job.job_name}, newest first`} />
            {all.length < RUNS ? null : (
              <p class="card-foot">
                <a href={`/console/runs?job=${encodeURIComponent(job.job_name)}`}>All runs</a>
              </p>
            )}
          </>
        )
      }
    </Loaded>
  );
}

function Recipients({ job }: { job: Job }) {
  const column = addressColumn(job);
  return (
    <>
      {column === undefined ? null : (
        <p class="card-text">
          Each value of <strong>{job.split_by}</strong> goes to the addresses that the column <strong>{column}</strong>{" "}
          has in its rows.
        </p>
      )}
      <ul class="list">
        {allRecipients(job).map(({ address, what, unsubscribed }) => (
          <li key={address}>
            <span class="grow">
              {address} <span class="soft">{what}</span>
            </span>
            {unsubscribed ? <span class="wait">unsubscribed, gets no more mail of this job</span> : null}
          </li>
        ))}
      </ul>
    </>
  );
}
