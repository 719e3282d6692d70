import { useState } from "preact/hooks";
import { useRoute } from "preact-iso/router";
import { client, data, loadRun, type RunDetail, versionThatRan } from "../api/client.ts";
import { Button } from "../components/button.tsx";
import { type Command, Commands } from "../components/commands.tsx";
import { CompareTab } from "../components/compare.tsx";
import { useGoOn } from "../components/go-on.ts";
import { jobHref } from "../components/job-table.tsx";
import { explainHref, MailOutcome } from "../components/mail-outcome.tsx";
import { Card, Page } from "../components/page.tsx";
import { Resend, resultMails } from "../components/resend.tsx";
import { ResultTable } from "../components/result-table.tsx";
import { Script } from "../components/script.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { Status } from "../components/status.tsx";
import { Table } from "../components/table.tsx";
import { type Tab, Tabs } from "../components/tabs.tsx";
import { Stages, Timeline } from "../components/timeline.tsx";
import { cancelRun, runJob } from "../store/actions.ts";
import { foldRun, hasEnded } from "../store/fold.ts";
import { useResource } from "../store/resource.ts";
import { may } from "../store/session.ts";
import { count, moment, momentInZone, sentenceEnd } from "../words/format.ts";
import { stateOfRun } from "../words/status.ts";

export function RunPage() {
  const { params } = useRoute();
  const id = params.id ?? "";
  return <OneRun key={id} id={id} />;
}

function OneRun({ id }: { id: string }) {
  const found = useResource<RunDetail>(`run ${id}`, (signal) => loadRun(id, signal), {
    fold: (run, event) => {
      const last = run.timeline.at(-1)?.sequence ?? 0;
      if (event.run_id !== run.run_id || event.seq <= last) return run;
      const folded = foldRun(run, event) ?? run;
      const entry = { type: event.type, time: event.time, sequence: event.seq };
      return { ...run, ...folded, timeline: [...run.timeline, entry] };
    },
    touches: (event) => event.run_id === id,
  });
  const run = found.data.value;
  const zone = run?.timezone ?? undefined;
  return (
    <Page
      title={run === undefined ? "Run" : `${run.job_name}, ${moment(run.scheduled_at, zone)}`}
      above={
        run === undefined ? (
          <a href="/console/runs">Runs</a>
        ) : (
          <>
            <a href="/console/jobs">Jobs</a> / <a href={jobHref(run.job_name)}>{run.job_name}</a>
          </>
        )
      }
      actions={run === undefined ? undefined : <Actions run={run} />}
      sentence={run === undefined ? undefined : <Sentence run={run} zone={zone} />}
    >
      <Loaded of={found}>
        {(one) => (
          <>
            <Card>
              <Timeline run={one} timezone={zone} />
              {one.timings === null ? null : <Stages timings={one.timings} />}
              <p class="small soft card-text">{origin(one)}</p>
            </Card>
            <Tabs label="About this run" tabs={tabs(one, zone)} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Actions({ run }: { run: RunDetail }) {
  const goOn = useGoOn();
  const again = () => goOn(async () => `/console/runs/${await runJob(run.job_name)}`);
  const [resending, setResending] = useState(false);
  // None of them takes the place of another: a run may end while somebody points at a button.
  return (
    <>
      <span data-key="r">
        <Button need="edit" kind="primary" onAct={again}>
          Run again
        </Button>
      </span>
      <Button
        need="edit"
        onAct={() => setResending(true)}
        unless={resultMails(run).length === 0 ? "Nothing of this run was mailed." : undefined}
      >
        Send again…
      </Button>
      <Button
        need="edit"
        onAct={() => cancelRun(run.run_id)}
        unless={hasEnded(run.status) ? "This run has ended." : undefined}
      >
        Cancel
      </Button>
      {run.status === "failed" ? <FixInEditor jobName={run.job_name} /> : null}
      <Commands of={commandsOf(run)} />
      {resending ? <Resend run={run} onClose={() => setResending(false)} /> : null}
    </>
  );
}

function commandsOf({ run_id, job_name, status }: RunDetail): Command[] {
  const result: Command[] = [
    ["Write its result to a file", "runs", "result", run_id, "-o", "result.csv"],
    ["Show what differs from the delivered result before", "runs", "diff", run_id],
    ["Mail its result again", "runs", "resend", run_id],
  ];
  return [
    ["Run its job again, and wait for the end", "jobs", "run", job_name, "--wait"],
    ["Show it", "runs", "show", run_id],
    ["Print its log", "runs", "log", run_id],
    ["Write what it read to a file", "runs", "input", run_id, "-o", "input"],
    ...(status === "failed" ? [] : result),
    ...(hasEnded(status) ? [] : [["Cancel it", "runs", "cancel", run_id] satisfies Command]),
  ];
}

/** The way to the script of a failed run's job; without the permission, a button that says why there is none. */
function FixInEditor({ jobName }: { jobName: string }) {
  const words = "Fix in editor";
  return may("edit") ? (
    <a class="button plain" href={`${jobHref(jobName)}/edit`}>
      {words}
    </a>
  ) : (
    <Button need="edit" onAct={() => undefined}>
      {words}
    </Button>
  );
}

function Sentence({ run, zone }: { run: RunDetail; zone: string | undefined }) {
  const due = zone === undefined ? moment(run.scheduled_at) : momentInZone(run.scheduled_at, zone);
  return (
    <>
      <Status of={stateOfRun(run)} /> {outcome(run)} {run.trigger === "manual" ? "Asked for" : "Due"} {due}
      {run.late ? ", late: the system was down" : ""}.
    </>
  );
}

function outcome(run: RunDetail): string {
  const results = run.mails.filter((mail) => mail.kind === "result");
  const accepted = results.filter((mail) => mail.outcome === "accepted").length;
  switch (run.status) {
    case "delivered":
      return results.length === 0
        ? `${count(run.rows ?? 0, "row")}${run.rows === 0 ? ", so nobody got a mail." : "; no mail was to be sent."}`
        : `${count(run.rows ?? 0, "row")} to ${accepted} of ${count(results.length, "person", "people")}.`;
    case "processed":
      return `${count(run.rows ?? 0, "row")}; the mail ${waiting(run) === 0 ? "is on its way" : "waits for the mail server"}.`;
    case "undelivered":
      return `${count(run.rows ?? 0, "row")}, but no mail server took the mail.`;
    case "failed":
      return run.error === null ? "No reason is known." : failure(run.error);
    case "skipped":
      return sentenceEnd(run.skipped?.detail ?? "");
    case "requested":
      return "Waits for a runner.";
    default:
      return "";
  }
}

/** Returns how many recipients wait, because the server has deferred their mail. */
function waiting(run: RunDetail): number {
  return run.mails.filter(({ outcome }) => outcome === "waiting").length;
}

/** Returns where a run failed, and why: `Line 2: KeyError: there is no column "mass".` */
function failure({ stage, line, type, message }: NonNullable<RunDetail["error"]>): string {
  const place = line == null ? `In the stage ${stage}` : `Line ${line}`;
  return `${place}: ${type}: ${sentenceEnd(message)}`;
}

function origin(run: RunDetail): string {
  const by = run.trigger === "schedule" ? "by schedule" : `by ${run.actor ?? "hand"}`;
  const on = run.runner === null ? "" : ` · on ${run.runner}`;
  const tries = run.attempts > 1 ? ` · attempt ${run.attempts}` : "";
  return `${by} · version ${run.job_version}${on}${tries}`;
}

function tabs(run: RunDetail, zone: string | undefined): Tab[] {
  const failed = run.error !== null;
  const script: Tab = { id: "script", word: "Script", content: () => <ScriptTab run={run} /> };
  const result: Tab = { id: "result", word: "Result", content: () => <ResultTab run={run} /> };
  return [
    ...(failed ? [script] : [result]),
    { id: "log", word: "Log", content: () => <LogTab run={run} /> },
    { id: "mail", word: "Mail", many: run.mails.length, content: () => <MailTab run={run} /> },
    { id: "compare", word: "Compare", content: () => <CompareTab run={run} zone={zone} /> },
    ...(failed ? [] : [script]),
    { id: "origin", word: "Where from", content: () => <OriginTab run={run} /> },
  ];
}

function ScriptTab({ run }: { run: RunDetail }) {
  const error = run.error;
  const version = useResource(`script of ${run.run_id}`, (signal) => versionThatRan(run, signal));
  return (
    <>
      {error === null || error.line != null ? null : (
        <p class="notice bad">
          <strong>{error.type}:</strong> {error.message}
        </p>
      )}
      <Loaded of={version}>
        {(known) =>
          known === null ? (
            <Empty title="The script of this version is not known any more." />
          ) : (
            <Script
              text={known.job.processing_script}
              line={error?.line ?? null}
              {...(error === null ? {} : { message: `${error.type}: ${error.message}` })}
            />
          )
        }
      </Loaded>
      {error?.traceback ? (
        <details class="card-text">
          <summary>Traceback</summary>
          <pre class="output">{error.traceback}</pre>
        </details>
      ) : null}
    </>
  );
}

function ResultTab({ run }: { run: RunDetail }) {
  if (run.rows === null) {
    return <Empty title={hasEnded(run.status) ? "This run has no result." : "The result is not there yet."} />;
  }
  return (
    <>
      {run.figures.map((figure, index) => (
        <img
          key={figure.name}
          class="figure"
          alt={figure.alt}
          width={figure.width}
          height={figure.height}
          src={`/runs/${run.run_id}/figures/${index + 1}`}
        />
      ))}
      <ResultTable run={run} />
    </>
  );
}

function LogTab({ run }: { run: RunDetail }) {
  const log = useResource(`log of ${run.run_id} ${run.status}`, async (signal) => {
    const request = { params: { path: { run_id: run.run_id } }, parseAs: "text", signal } as const;
    // The client has no data for an answer without a byte.
    return (await data<string | undefined>(client.GET("/runs/{run_id}/log", request))) ?? "";
  });
  return (
    <>
      {run.notes.length === 0 ? null : (
        <ul class="list">
          {run.notes.map((note) => (
            <li key={note.text}>
              <span class="wait">note of the stage {note.stage}</span> {note.text}
            </li>
          ))}
        </ul>
      )}
      <Loaded of={log}>
        {(text) => (text === "" ? <Empty title="The script printed nothing." /> : <pre class="output">{text}</pre>)}
      </Loaded>
    </>
  );
}

function MailTab({ run }: { run: RunDetail }) {
  if (run.mails.length === 0) return <NoMail status={run.status} />;
  return (
    <>
      <Mails run={run} />
      <details class="card-text">
        <summary>The mail as recipients see it</summary>
        <iframe
          class="mail"
          title="The mail as recipients see it"
          src={`/runs/${run.run_id}/mail`}
          sandbox=""
          loading="lazy"
        />
      </details>
    </>
  );
}

/** Says whether a mail of the run is still to come, and what it waits for. */
function NoMail({ status }: { status: RunDetail["status"] }) {
  if (status === "processed") return <MailToCome />;
  return <Empty title={hasEnded(status) ? "No mail was sent for this run." : "The mail goes out after the run."} />;
}

function MailToCome() {
  const system = useResource("system", (signal) => data(client.GET("/system", { signal })));
  const reason = system.data.value?.smtp?.reason;
  return (
    <Empty title="The mail has not gone out yet.">
      {reason == null ? null : <p>No mail goes out at the moment: {reason}. It waits, and is not lost.</p>}
    </Empty>
  );
}

function Mails({ run }: { run: RunDetail }) {
  return (
    <Table class="rows" caption="Mails of this run" columns={["To", "Kind", "Outcome", "The server's answer"]}>
      {run.mails.map((mail) => (
        <tr key={`${mail.kind} ${mail.address} ${mail.split_value ?? ""}`}>
          <th scope="row">
            <a href={explainHref(mail.message_id)}>{mail.address}</a>
            {mail.split_value != null && <span class="small"> {mail.split_value}</span>}
          </th>
          <td data-label="Kind">{mail.kind}</td>
          <td data-label="Outcome">
            <MailOutcome of={mail.outcome} />
          </td>
          <td data-label="Answer" class="mono small wide">
            {mail.answer}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function OriginTab({ run }: { run: RunDetail }) {
  const facts: [string, string | null][] = [
    ["Data (SHA-256)", run.input_sha256],
    ...Object.entries(run.more_inputs_sha256).map(([name, digest]): [string, string] => [
      `Source ${name} (SHA-256)`,
      digest,
    ]),
    ["Script (SHA-256)", run.script_sha256],
    ["Result (SHA-256)", run.result_sha256],
    ["Ran on", run.runtime === null ? null : `Python ${run.runtime.python}, pandas ${run.runtime.pandas}`],
    ["Run", run.run_id],
  ];
  return (
    <dl class="facts">
      {facts.map(([term, fact]) => (
        <div key={term}>
          <dt class="soft">{term}</dt>
          <dd class="mono">{fact ?? "not known"}</dd>
        </div>
      ))}
    </dl>
  );
}
