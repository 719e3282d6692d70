import { useEffect } from "preact/hooks";
import { client, data, type JobSummary, type Overview, readOverview, type Slot } from "../api/client.ts";
import { Axis } from "../components/axis.tsx";
import { Button } from "../components/button.tsx";
import { ViewSwitch } from "../components/calendar-links.tsx";
import { Checklist } from "../components/checklist.tsx";
import { Icon } from "../components/icon.tsx";
import { changesJobs, JobTable, jobHref } from "../components/job-table.tsx";
import { Card, Page } from "../components/page.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { Status } from "../components/status.tsx";
import { pauseJob, runJob } from "../store/actions.ts";
import { now } from "../store/clock.ts";
import type { LogEvent } from "../store/events.ts";
import { foldJob } from "../store/fold.ts";
import { useResource } from "../store/resource.ts";
import { count, momentHere, number } from "../words/format.ts";

const HOUR = 3_600_000;
/** No event says that a process or the mail server has gone. */
const REFRESH_MS = 30_000;
/** More due times than the API lists in one answer. */
const MAX_SLOTS = 10_000;

export function OverviewPage() {
  const overview = useResource("overview", readOverview, {
    fold: (all, event) => ({ ...all, failing: foldList(all.failing, event), next: foldList(all.next, event) }),
    touches: (event) => changesJobs(event) || event.type.startsWith("mail-"),
  });
  const slots = useResource("overview slots", aroundNow, {
    touches: ({ type }) => type.startsWith("job-") || type.startsWith("run-") || type.startsWith("mail-"),
  });
  useEffect(() => {
    const timer = setInterval(() => document.hidden || overview.reload(), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const all = overview.data.value;
  const failing = all?.failing.filter(needsYou) ?? [];
  return (
    <Page title="Overview" sentence={all === undefined || all.jobs === 0 ? undefined : summary(failing.length, all)}>
      <Loaded of={overview}>
        {(loaded) =>
          loaded.jobs === 0 ? (
            <>
              <Problems of={loaded.problems} />
              <FirstRun />
              <Checklist setup={loaded.setup} />
            </>
          ) : (
            <>
              <Problems of={loaded.problems} />
              {failing.length === 0 ? null : (
                <Card title="Needs you" aside={<a href="/console/jobs?failing=true">All of them</a>}>
                  <ul class="list">
                    {failing.map((job) => (
                      <Failing key={job.job_id} job={job} />
                    ))}
                  </ul>
                </Card>
              )}
              <Checklist setup={loaded.setup} />
              <Card title="Past and coming 24 hours" aside={<ViewSwitch here="axis" />}>
                <Loaded of={slots}>
                  {(found) => (
                    <>
                      <Axis slots={found} now={now.value} />
                      {found.length < MAX_SLOTS ? null : (
                        <p class="card-text small soft">
                          Of each half, only the first {count(MAX_SLOTS, "due time")} are drawn.
                        </p>
                      )}
                    </>
                  )}
                </Loaded>
              </Card>
              <Card title="Next jobs" aside={<a href="/console/jobs">All jobs</a>}>
                <JobTable jobs={loaded.next} caption="The jobs that are due next" />
              </Card>
              {loaded.refused.length === 0 ? null : (
                <Card
                  title="Mails refused in the past 24 hours"
                  aside={<a href="/console/mail?outcome=refused">All of them</a>}
                >
                  <ul class="list">
                    {loaded.refused.map((mail) => (
                      <li key={`${mail.run_id} ${mail.recipient}`}>
                        <div class="in-text">
                          <Status of="undelivered" /> <strong>{mail.recipient}</strong>{" "}
                          <span class="soft">did not get</span>{" "}
                          <a href={`/console/runs/${mail.run_id}`}>{mail.job_name}</a>{" "}
                          <span class="soft">{momentHere(mail.time)}</span>
                          <p class="small mono soft">{mail.answer}</p>
                        </div>
                      </li>
                    ))}
                  </ul>
                </Card>
              )}
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

/** What keeps the system itself from working. A replica of an earlier version does not say it. */
function Problems({ of }: { of: string[] | undefined }) {
  if (of === undefined || of.length === 0) return null;
  return (
    <Card title="The system needs an operator" aside={<a href="/console/system">System</a>}>
      <ul class="list">
        {of.map((problem) => (
          <li key={problem}>
            <span class="status bad">
              <Icon name="cross" />
              <span>{problem}</span>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** Returns the due times of 24 hours back and ahead. Where there are very many, each half has as many as the API lists at once. */
async function aroundNow(signal: AbortSignal): Promise<Slot[]> {
  const now = Date.now();
  const ask = async (from: number) => {
    const query = { from: new Date(from).toISOString(), until: new Date(now + 24 * HOUR).toISOString() };
    return (await data(client.GET("/slots", { params: { query }, signal }))).items;
  };
  const found = await ask(now - 24.5 * HOUR);
  if (found.length < MAX_SLOTS) return found;
  return [...found.filter(({ due }) => Date.parse(due) < now), ...(await ask(now))];
}

function foldList(list: JobSummary[], event: LogEvent): JobSummary[] {
  const at = list.findIndex((job) => job.job_name === event.job_name);
  const job = list[at];
  const folded = job === undefined ? undefined : foldJob(job, event);
  if (folded === undefined || folded === job) return list;
  return folded === null ? list.toSpliced(at, 1) : list.with(at, folded);
}

function needsYou(job: JobSummary): boolean {
  return job.last_run !== null && ["failed", "undelivered"].includes(job.last_run.status);
}

/** Says how things stand: reports that need a person, those that are well, and what went out today. */
function summary(failing: number, { jobs, paused, more_failing, mails_today, is_caught }: Overview): string {
  const need = failing === 1 && !more_failing ? "needs" : "need";
  const trouble = `${more_failing ? "More than " : ""}${number(failing)} of ${count(jobs, "report")} ${need} you.`;
  const running = paused === jobs ? ` All are paused.` : paused === 0 ? "" : ` ${number(paused)} paused.`;
  const lost = mails_today.refused + mails_today.bounced;
  const were = lost === 1 ? "was" : "were";
  const out = is_caught
    ? " Mail is kept here and reaches nobody: no mail server is set."
    : ` ${count(mails_today.accepted, "mail")} went out today${lost === 0 ? "" : `, ${number(lost)} ${were} refused or came back`} (UTC).`;
  const well = jobs === 1 ? "Your report is well." : `All ${number(jobs)} reports are well.`;
  return `${failing === 0 ? well : trouble}${running}${out}`;
}

function Failing({ job }: { job: JobSummary }) {
  const last = job.last_run;
  if (last === null) return null;
  const line = last.error?.line ? `line ${last.error.line}: ` : "";
  return (
    <li>
      <div class="grow in-text">
        <Status of={last.status} /> <a href={jobHref(job.job_name)}>{job.job_name}</a>{" "}
        <span class="soft">{momentHere(last.finished_at ?? last.scheduled_at)}</span>
        <p class="small error-line">
          {last.error === null ? "No mail server took the mail." : `${line}${last.error.type}: ${last.error.message}`}
        </p>
      </div>
      <div class="actions">
        <a class="button plain" href={`/console/runs/${last.run_id}`}>
          Open run
        </a>
        <Button need="edit" onAct={() => runJob(job.job_name)} label={`Run again: ${job.job_name}`}>
          Run again
        </Button>
        <Button
          need="edit"
          onAct={() => pauseJob(job.job_name)}
          label={`Pause ${job.job_name}`}
          unless={job.status === "paused" ? "It is paused." : undefined}
        >
          Pause
        </Button>
      </div>
    </li>
  );
}

function FirstRun() {
  return (
    <Card>
      <Empty title="No reports yet.">
        <p>Start from an example, a CSV, or an empty page.</p>
        <p>
          <a class="button primary" href="/console/jobs/new">
            New report
          </a>
        </p>
      </Empty>
    </Card>
  );
}
