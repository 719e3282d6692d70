import { client, data, type Mail } from "../api/client.ts";
import { Button } from "../components/button.tsx";
import { ChoiceFilter, ClearFilters, TextFilter, useFilters } from "../components/filters.tsx";
import { useGoOn } from "../components/go-on.ts";
import { jobHref } from "../components/job-table.tsx";
import { ListCard, useList } from "../components/list.tsx";
import { explainHref, isLost, MailOutcome, OUTCOMES } from "../components/mail-outcome.tsx";
import { Page } from "../components/page.tsx";
import { Empty } from "../components/states.tsx";
import { ACTIONS, Table } from "../components/table.tsx";
import { resendRun } from "../store/actions.ts";
import { now } from "../store/clock.ts";
import type { LogEvent } from "../store/events.ts";
import { outcomesOf } from "../store/fold.ts";
import { useResource } from "../store/resource.ts";
import { count, HERE, moment, momentHere, zoneName } from "../words/format.ts";

const NAMES = ["to", "outcome", "job", "days"] as const;
const PERIODS = [
  ["1", "last 24 hours"],
  ["", "last 7 days"],
  ["30", "last 30 days"],
  ["all", "all that are kept"],
] as const;
const DEFAULT_DAYS = 7;
const DAY_MS = 86_400_000;

function changesMails({ type }: LogEvent): boolean {
  return ["mail-sent", "mail-failed", "mail-deferred", "mail-bounced"].includes(type);
}

function isoDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** Returns the earliest time of a period, on a whole minute so that a reload asks for the same list. */
function periodStart(days: string | undefined): string | undefined {
  if (days === "all") return undefined;
  const length = (Number(days) || DEFAULT_DAYS) * DAY_MS;
  return new Date(Math.floor((Date.now() - length) / 60_000) * 60_000).toISOString();
}

export function MailPage() {
  const filters = useFilters(NAMES);
  const { to, job, days } = filters.current;
  const outcome = OUTCOMES.find((one) => one === filters.current.outcome);
  const key = `mails ${JSON.stringify(filters.current)}`;
  const list = useList<Mail>(
    key,
    (wanted, signal) => {
      const since = periodStart(days);
      const query = {
        ...wanted,
        ...(to ? { recipient: to } : {}),
        ...(outcome ? { outcome } : {}),
        ...(job ? { job_name: job } : {}),
        ...(since ? { since } : {}),
      };
      return data(client.GET("/mails", { params: { query }, signal }));
    },
    {
      added: (event) =>
        changesMails(event) && (!job || event.job_name === job)
          ? outcomesOf(event.type, event.data)
              .filter((mail) => (!to || mail.address === to) && (!outcome || mail.outcome === outcome))
              .map((mail) => `${event.data.message_id} ${mail.address} ${mail.outcome}`)
          : [],
      idOf: (mail) => `${mail.message_id} ${mail.recipient} ${mail.outcome}`,
    },
  );
  return (
    <Page
      title="Mail"
      sentence={
        <>
          <Sentence />
          <Caught />
        </>
      }
      actions={
        <a href="/console/mail/explain" class="button plain">
          Explain a mail
        </a>
      }
    >
      <ListCard
        list={list}
        noun="outcome"
        filters={
          <>
            <TextFilter label="Person, by the whole address" value={to} onSet={(value) => filters.set({ to: value })} />
            <TextFilter label="Job, by its whole name" value={job} onSet={(value) => filters.set({ job: value })} />
            <ChoiceFilter
              label="Outcome"
              value={outcome}
              choices={[["", "all outcomes"], ...OUTCOMES.map((one) => [one, one] as const)]}
              onSet={(value) => filters.set({ outcome: value })}
            />
            <ChoiceFilter
              label="Period"
              value={days}
              choices={PERIODS}
              onSet={(value) => filters.set({ days: value })}
            />
            <ClearFilters filters={filters} />
          </>
        }
        empty={
          <Empty title={filters.isFiltered ? "Nothing matches." : "No mail in the last 7 days."}>
            {filters.isFiltered
              ? "Clear the filters to see every mail of the last 7 days."
              : "A mail appears here once a mail server has answered for it."}
          </Empty>
        }
      >
        <MailTable mails={list.items} />
      </ListCard>
    </Page>
  );
}

/** What needs a person: mails that wait, and those of the last week that did not arrive. */
function Sentence() {
  const lost = useResource(
    "mails to worry about",
    async (signal) => {
      // A mail that waits has waited five days at most; counters are by day, in UTC.
      const query = { from: isoDay(Date.now() - (DEFAULT_DAYS - 1) * DAY_MS), group_by: "day" as const };
      const { items } = await data(client.GET("/stats/days", { params: { query }, signal }));
      const sum = (outcome: Mail["outcome"]) => items.reduce((total, { mails }) => total + (mails[outcome] ?? 0), 0);
      return { waiting: sum("waiting"), refused: sum("refused"), bounced: sum("bounced") };
    },
    { touches: changesMails },
  );
  const found = lost.data.value;
  if (found === undefined) {
    // The list below says what is wrong.
    return lost.error.value === undefined ? <span class="soft">Counting what did not arrive…</span> : null;
  }
  const { waiting, refused, bounced } = found;
  if (waiting + refused + bounced === 0) return <>No mail waits, and none of the last 7 days was refused.</>;
  return (
    <>
      {waiting === 0 ? (
        "No mail waits"
      ) : (
        <a href="/console/mail?outcome=waiting&days=all">
          {count(waiting, "mail")} {waiting === 1 ? "waits" : "wait"}
        </a>
      )}
      {"; in the last 7 days "}
      {refused === 0 ? (
        "none was refused"
      ) : (
        <a href="/console/mail?outcome=refused">
          {count(refused, "mail")} {refused === 1 ? "was" : "were"} refused
        </a>
      )}
      {bounced === 0 ? null : (
        <>
          {" "}
          and <a href="/console/mail?outcome=bounced">{count(bounced, "mail")} bounced</a>
        </>
      )}
      .
    </>
  );
}

/** Says that nobody gets the mails, where that is so. */
function Caught() {
  const system = useResource("system", (signal) => data(client.GET("/system", { signal })));
  if (!system.data.value?.smtp?.catcher) return null;
  return (
    <>
      {" "}
      Mail is kept here and reaches nobody: <a href="/console/system">connect a mail server</a>.
    </>
  );
}

/** The head of the column of times; they are in the reader's zone. */
const WHEN = `When (${zoneName(HERE)})`;

function MailTable({ mails }: { mails: Mail[] }) {
  return (
    <Table
      class="rows mails"
      caption="Mails, one row for each recipient, newest first"
      columns={["To", WHEN, "Report", "Outcome", ACTIONS]}
    >
      {mails.map((mail) => (
        <MailRow key={`${mail.message_id} ${mail.recipient} ${mail.kind}`} mail={mail} />
      ))}
    </Table>
  );
}

/** Says when a mail is tried again. The log has a deferral at most hourly: of later attempts it knows nothing yet. */
function nextAttempt(time: string): string {
  return Date.parse(time) > now.value ? `next attempt ${momentHere(time)}` : "tried again since";
}

function MailRow({ mail }: { mail: Mail }) {
  const goOn = useGoOn();
  return (
    <tr>
      <th scope="row">
        <a href={explainHref(mail.message_id)} data-row>
          {mail.recipient}
        </a>
      </th>
      <td class="nowrap" data-label={WHEN}>
        <a class="plain-link" href={`/console/runs/${mail.run_id}#mail`}>
          {moment(mail.time)}
        </a>
      </td>
      <td class="wide" data-label="Report">
        <a href={jobHref(mail.job_name)}>{mail.job_name}</a>
        {mail.kind === "result" ? null : <span class="soft small"> {mail.kind}</span>}
      </td>
      <td class="wide self" data-label="Outcome">
        <div>
          <MailOutcome of={mail.outcome} />
          {mail.next_attempt === null ? null : <span class="small wait"> {nextAttempt(mail.next_attempt)}</span>}
          <p class="small soft answer">{mail.answer}</p>
        </div>
      </td>
      <td class="row-actions">
        {isLost(mail.outcome) ? (
          <Button
            need="edit"
            label={`Send again to ${mail.recipient}`}
            onAct={() =>
              goOn(async () => {
                await resendRun(mail.run_id, [mail.recipient]);
                return `/console/runs/${mail.run_id}#mail`;
              })
            }
          >
            Send again
          </Button>
        ) : null}
      </td>
    </tr>
  );
}
