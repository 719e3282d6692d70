// What runs, whether it is ready, and what to do about what is not: the findings of `nightmail doctor`, from anywhere.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { client, data, type Schemas } from "../api/client.ts";
import { Icon, type IconName } from "../components/icon.tsx";
import { Card, Page } from "../components/page.tsx";
import { Loaded } from "../components/states.tsx";
import { Table } from "../components/table.tsx";
import { TestMail } from "../components/test-mail.tsx";
import { connection } from "../store/events.ts";
import { useResource } from "../store/resource.ts";
import { may } from "../store/session.ts";
import { bytes, count, momentHere, number } from "../words/format.ts";
import type { Tone } from "../words/status.ts";

type System = Schemas["SystemStatus"];
type Service = Schemas["ServiceStatus"];
type Replica = Schemas["ReplicaStatus"];
type State = Schemas["Finding"]["state"];

/** Services announce themselves every few seconds; no event says that a process has gone. */
const REFRESH_MS = 5_000;

const MARKS: Record<State, { icon: IconName; tone: Tone; word: string }> = {
  ok: { icon: "check", tone: "ok", word: "ok" },
  warning: { icon: "warn", tone: "wait", word: "warning" },
  problem: { icon: "cross", tone: "bad", word: "problem" },
};

export function SystemPage() {
  const system = useResource("system", (signal) => data(client.GET("/system", { signal })));
  useEffect(() => {
    const timer = setInterval(() => document.hidden || system.reload(), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const found = system.data.value;
  return (
    <Page
      title="System"
      sentence={found === undefined ? undefined : <Sentence system={found} />}
      actions={
        may("administer") ? (
          <a class="button plain" href="/console/system/tokens">
            Tokens
          </a>
        ) : undefined
      }
    >
      <Loaded of={system}>
        {(loaded) => (
          <>
            <Checks checks={loaded.checks.filter(({ state }) => state !== "ok")} title="Needs attention" />
            <Services system={loaded} />
            <div class="columns">
              <MailServer smtp={loaded.smtp} />
              <Log log={loaded.log} unreadable={loaded.unreadable} />
            </div>
            <Checks checks={loaded.checks.filter(({ state }) => state === "ok")} title="Checked and well" />
            <p class="small soft">
              Nightmail {loaded.version}. <code>nightmail doctor</code> checks the machine itself, too: disk, clock,
              sandbox.
            </p>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Sentence({ system }: { system: System }) {
  const problems = system.checks.filter(({ state }) => state === "problem").length;
  const warnings = system.checks.filter(({ state }) => state === "warning").length;
  const waiting = system.services.filter(({ ready }) => !ready).map(({ name }) => name);
  const live = connection.value.state === "live" ? "" : " This page is not live at the moment.";
  if (problems + warnings === 0 && waiting.length === 0) {
    return (
      <>
        <Mark of="ok">All is ready.</Mark>{" "}
        {system.services.map(({ name, replicas }) => `${replicas.length} × ${name}`).join(", ")}.{live}
      </>
    );
  }
  const parts = [
    problems > 0 ? count(problems, "problem") : "",
    warnings > 0 ? count(warnings, "warning") : "",
    waiting.length > 0 ? `not ready: ${waiting.join(", ")}` : "",
  ].filter((part) => part !== "");
  return (
    <>
      <Mark of={problems > 0 || waiting.length > 0 ? "problem" : "warning"}>{parts.join("; ")}.</Mark>
      {live}
    </>
  );
}

function Mark({ of, children }: { of: State; children?: ComponentChildren }) {
  const { icon, tone, word } = MARKS[of];
  return (
    <span class={`status ${tone}`}>
      <Icon name={icon} />
      <span>{children ?? word}</span>
    </span>
  );
}

function Checks({ checks, title }: { checks: Schemas["Finding"][]; title: string }) {
  if (checks.length === 0) return null;
  return (
    <Card title={title}>
      <ul class="list checks">
        {checks.map(({ name, state, detail, fix }) => (
          <li key={name}>
            <Mark of={state} />
            <div class="grow">
              <strong>{name}</strong>: {detail}
              {fix === null ? null : <p class="small">{fix}</p>}
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Services({ system: { services, checks } }: { system: System }) {
  const isKnown = checks.every(({ name, state }) => name !== "nats" || state === "ok");
  return (
    <Card title="Services">
      <Table
        class="rows"
        caption="The processes of each service"
        columns={["Service", "State", "Does", "Since", "Version", { numbers: "Waiting" }]}
      >
        {services.flatMap((service) =>
          service.replicas.length === 0
            ? [<Absent key={service.name} service={service} isKnown={isKnown} />]
            : service.replicas.map((replica, index) => (
                <Process key={replica.instance} service={service} replica={replica} isFirst={index === 0} />
              )),
        )}
      </Table>
    </Card>
  );
}

/** A service of which no process is known. Without the broker, nobody knows which processes run. */
function Absent({ service, isKnown }: { service: Service; isKnown: boolean }) {
  return (
    <tr>
      <th scope="row">{service.name}</th>
      <td class="wide" data-label="State">
        {isKnown ? <Mark of="problem">no process runs</Mark> : <Mark of="warning">not known without the log</Mark>}
      </td>
      <td data-label="Does">–</td>
      <td data-label="Since">–</td>
      <td data-label="Version">–</td>
      <Backlog service={service} />
    </tr>
  );
}

function Process({ service, replica, isFirst }: { service: Service; replica: Replica; isFirst: boolean }) {
  const reasons = Object.entries(replica.dependencies).filter(([, reason]) => reason !== "ok");
  return (
    <tr>
      <th scope="row">
        {service.name} <span class="soft small mono">{replica.instance}</span>
      </th>
      <td class="wide" data-label="State">
        {replica.ready ? <Mark of="ok">ready</Mark> : <Mark of="problem">not ready</Mark>}
        {reasons.map(([name, reason]) => (
          <p key={name} class="small">
            {name}: {reason}
          </p>
        ))}
        {replica.unreadable_events === 0 ? null : (
          <p class="small wait">{count(replica.unreadable_events, "unreadable event")}</p>
        )}
      </td>
      <td data-label="Does">{describe(replica.facts)}</td>
      <td data-label="Since" class="nowrap">
        {momentHere(replica.started_at)}
      </td>
      <td data-label="Version">{replica.version}</td>
      {isFirst ? <Backlog service={service} /> : <td class="number" />}
    </tr>
  );
}

function Backlog({ service }: { service: Service }) {
  return (
    <td class="number" data-label="Waiting">
      {service.backlog === null ? "–" : number(service.backlog)}
    </td>
  );
}

/** Returns what a process says of itself in words. */
function describe(facts: Replica["facts"]): string {
  const { slots, leads, smtp } = facts as { slots?: number; leads?: boolean; smtp?: { server: string } };
  if (slots !== undefined) return count(slots, "run at a time", "runs at a time");
  if (leads !== undefined) return leads ? "leads" : "stands by";
  return smtp === undefined ? "–" : `sends through ${smtp.server}`;
}

function MailServer({ smtp }: { smtp: System["smtp"] }) {
  if (smtp === null) {
    return (
      <Card title="Mail server">
        <p class="card-text">No mailer runs, so nothing is mailed. What is due waits in the log.</p>
      </Card>
    );
  }
  return (
    <Card title="Mail server">
      <dl class="facts">
        <div>
          <dt class="soft">Server</dt>
          <dd>{smtp.server ?? "–"}</dd>
        </div>
        <div>
          <dt class="soft">Security</dt>
          <dd>{smtp.security ?? "–"}</dd>
        </div>
        <div>
          <dt class="soft">Sender</dt>
          <dd>{smtp.sender ?? "–"}</dd>
        </div>
        <div>
          <dt class="soft">State</dt>
          <dd>
            {smtp.catcher ? (
              <Mark of="warning">keeps every mail on this machine, and delivers none</Mark>
            ) : smtp.reachable ? (
              <Mark of="ok">answers</Mark>
            ) : (
              <Mark of="problem">{smtp.reason ?? "does not answer"}; mails wait, and none is lost</Mark>
            )}
          </dd>
        </div>
      </dl>
      {smtp.catcher ? (
        <p class="card-text small">
          To connect a mail server set <code>NIGHTMAIL_SMTP_HOST</code>, <code>NIGHTMAIL_SMTP_FROM</code> and, if it
          asks for them, <code>NIGHTMAIL_SMTP_USERNAME</code> and <code>NIGHTMAIL_SMTP_PASSWORD</code> in{" "}
          <code>.env</code>, and start Nightmail again.
        </p>
      ) : null}
      <TestMail />
    </Card>
  );
}

function Log({ log, unreadable }: { log: System["log"]; unreadable: System["unreadable"] }) {
  const behind = log.last_sequence - log.applied_sequence;
  return (
    <Card title="Log" aside={<a href="/console/log">Every event</a>}>
      <dl class="facts">
        <div>
          <dt class="soft">Events</dt>
          <dd>
            {log.messages === null ? "–" : number(log.messages)}
            {log.bytes === null ? "" : `, ${bytes(log.bytes)} on the broker's disk`}
          </dd>
        </div>
        <div>
          <dt class="soft">Last event</dt>
          <dd>{number(log.last_sequence)}</dd>
        </div>
        <div>
          <dt class="soft">These pages</dt>
          <dd>{behind <= 0 ? "up to date" : `${count(behind, "event")} behind`}</dd>
        </div>
        <div>
          <dt class="soft">Unreadable</dt>
          <dd>
            {unreadable.count === 0 ? "none" : count(unreadable.count, "event")}
            {unreadable.items.map(({ sequence, subject, reason }) => (
              <p key={sequence} class="small">
                <a href={`/console/log?before=${sequence + 1}`}>{number(sequence)}</a> <code>{subject}</code>: {reason}
              </p>
            ))}
          </dd>
        </div>
      </dl>
    </Card>
  );
}
