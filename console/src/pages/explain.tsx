// "Why did I get this?": from the Message-ID of a mail to the due time, the version and its author, the data, and the server's answer.
import { useLocation, useRoute } from "preact-iso/router";
import { client, data, loadRun, type Mail, type RunDetail, type Schemas, versionThatRan } from "../api/client.ts";
import { jobHref } from "../components/job-table.tsx";
import { explainHref, MailOutcome } from "../components/mail-outcome.tsx";
import { Card, Page } from "../components/page.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { Table } from "../components/table.tsx";
import { Timeline } from "../components/timeline.tsx";
import { useResource } from "../store/resource.ts";
import { count, exactClock, milliseconds, momentHere, momentInZone } from "../words/format.ts";

/** `version` null: the job was erased, or its versions are not known. */
interface Explained {
  mails: Mail[];
  run: RunDetail;
  version: Schemas["VersionWithJob"] | null;
}

export function ExplainPage() {
  const { params } = useRoute();
  const id = params.id ?? "";
  return (
    <Page title="Explain a mail" above={<a href="/console/mail">Mail</a>}>
      <Ask id={id} />
      {id === "" ? null : <Explanation key={id} id={id} />}
    </Page>
  );
}

function Ask({ id }: { id: string }) {
  const { route } = useLocation();
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    const wanted = new FormData(event.currentTarget as HTMLFormElement).get("message-id");
    if (typeof wanted === "string" && wanted.trim() !== "") route(explainHref(wanted.trim()));
  };
  return (
    <Card>
      <form class="ask" onSubmit={onSubmit}>
        <label for="message-id">The mail's Message-ID</label>
        <input
          key={id}
          id="message-id"
          name="message-id"
          class="mono"
          defaultValue={id}
          autocomplete="off"
          spellcheck={false}
        />
        <button type="submit" class="button primary">
          Explain
        </button>
        <p class="small soft">
          Each mail has one in its headers: most programs show it as “source”, “original” or “details”.
        </p>
      </form>
    </Card>
  );
}

function Explanation({ id }: { id: string }) {
  const found = useResource<Explained | null>(
    `explain ${id}`,
    async (signal) => {
      const query = { message_id: id, limit: 200 };
      const { items } = await data(client.GET("/mails", { params: { query }, signal }));
      const [first] = items;
      if (first === undefined) return null;
      const run = await loadRun(first.run_id, signal);
      return { mails: items, run, version: await versionThatRan(run, signal) };
    },
    { touches: (event) => event.type.startsWith("mail-") },
  );
  return (
    <Loaded of={found}>
      {(explained) =>
        explained === null ? (
          <Card>
            <Empty title="No mail of this system has this Message-ID.">
              Mails are known for as long as their runs are. Check that it is whole: it ends with the sender's domain.
            </Empty>
          </Card>
        ) : (
          <Answer {...explained} />
        )
      }
    </Loaded>
  );
}

function Answer({ mails, run, version }: Explained) {
  const zone = run.timezone ?? undefined;
  const [first] = mails as [Mail];
  return (
    <>
      <Card>
        <div class="explanation">
          <p>
            <Why run={run} version={version} /> {whatRan(run)} {whatIsInIt(first, version)}
          </p>
          <p>{mails.length === 1 ? whatServerSaid(first) : `It went to ${count(mails.length, "person", "people")}.`}</p>
        </div>
        <Timeline run={run} timezone={zone} />
      </Card>
      <Card title="Recipients">
        <Table class="rows" caption="Recipients of this mail" columns={["To", "Outcome", "The server's answer"]}>
          {mails.map((mail) => (
            <tr key={mail.recipient}>
              <th scope="row">{mail.recipient}</th>
              <td data-label="Outcome">
                <MailOutcome of={mail.outcome} />
              </td>
              <td data-label="Answer" class="mono small wide">
                {mail.answer}
              </td>
            </tr>
          ))}
        </Table>
      </Card>
      <Card title="Where it comes from">
        <dl class="facts">
          {facts(run, first).map(([term, fact]) => (
            <div key={term}>
              <dt class="soft">{term}</dt>
              <dd class="mono">{fact}</dd>
            </div>
          ))}
        </dl>
        <p class="card-foot">
          <a href={`/console/runs/${run.run_id}`}>Open the run</a>
        </p>
      </Card>
    </>
  );
}

function Why({ run, version }: { run: RunDetail; version: Explained["version"] }) {
  const due = run.timezone === null ? momentHere(run.scheduled_at) : momentInZone(run.scheduled_at, run.timezone);
  const job = <a href={jobHref(run.job_name)}>{run.job_name}</a>;
  return (
    <>
      This mail was sent because{" "}
      {run.trigger === "manual" ? (
        <>
          {run.actor ?? "somebody"} ran {job} {due}.
        </>
      ) : (
        <>
          {job} was due {due}.
        </>
      )}
      {version === null
        ? null
        : ` ${version.actor} wrote version ${version.version}, which ran, ${momentHere(version.time)}.`}
    </>
  );
}

function whatRan(run: RunDetail): string {
  if (run.error !== null) return `The run failed in the stage ${run.error.stage}: ${run.error.message}`;
  const late = run.late ? "It ran late, because the system was down. " : "";
  const took = run.timings === null ? "" : ` in ${milliseconds(run.timings.total_ms)}`;
  return `${late}The run made ${count(run.rows ?? 0, "row")}${took}.`;
}

/** Says which rows a mail of a slice has; nothing of a mail with all of them. */
function whatIsInIt({ split_value }: Mail, version: Explained["version"]): string {
  if (split_value === null) return "";
  const column = version?.job.split_by;
  return `This mail has the rows ${column == null ? "of" : `whose ${column} is`} “${split_value}”.`;
}

function whatServerSaid(mail: Mail): string {
  const at = `${momentHere(mail.time)} (${exactClock(mail.time)})`;
  switch (mail.outcome) {
    case "accepted":
      return `The mail server took the copy for ${mail.recipient} ${at}. That is the server's word, not the mailbox's.`;
    case "refused":
      return `The mail server refused the copy for ${mail.recipient} ${at}.`;
    case "bounced":
      return `The mail server took the copy for ${mail.recipient}, and a server behind it gave it back ${at}.`;
    case "uncertain":
      return `The connection broke ${at}, before the server said whether it took the copy for ${mail.recipient}.`;
    case "waiting":
      return `The copy for ${mail.recipient} waits since ${momentHere(mail.since ?? mail.time)}.`;
  }
}

function facts(run: RunDetail, mail: Mail): [string, string][] {
  return [
    ["Message-ID", mail.message_id],
    ["Run", run.run_id],
    ["Data (SHA-256)", run.input_sha256 ?? "not known"],
    ["Script (SHA-256)", run.script_sha256 ?? "not known"],
    [mail.split_value === null ? "Result (SHA-256)" : "Whole result (SHA-256)", run.result_sha256 ?? "not known"],
  ];
}
