import { signal } from "@preact/signals";
import type { Schemas } from "../api/client.ts";
import { may } from "../store/session.ts";
import { Icon } from "./icon.tsx";
import { Card } from "./page.tsx";

type Setup = NonNullable<Schemas["Overview"]["setup"]>;

const HIDDEN = "nightmail-checklist";
const isHidden = signal(localStorage.getItem(HIDDEN) === "hidden");

/** The first four steps of an installation, until all are done or a person hides them in this browser. */
export function Checklist({ setup }: { setup: Setup | null }) {
  if (setup === null || isHidden.value || Object.values(setup).every(Boolean)) return null;
  const steps = [
    [setup.report, "Make a report", "/console/jobs/new", "from an example, a CSV or an empty page"],
    [setup.mail_server, "Connect a mail server", "/console/system", "until then mail is kept here and reaches nobody"],
    [setup.tested, "See a mail arrive", "/console/system", "run a report, or send a test mail to find what is wrong"],
    [
      setup.invited,
      "Invite a second person",
      "/console/system/tokens",
      may("administer") ? "with a token of their own" : "an admin makes a token for them",
    ],
  ] as const;
  const done = steps.filter(([isDone]) => isDone).length;
  const hide = () => {
    localStorage.setItem(HIDDEN, "hidden");
    isHidden.value = true;
  };
  return (
    <Card
      title="First steps"
      aside={
        <>
          {done} of {steps.length} done{" "}
          <button type="button" class="button plain" onClick={hide}>
            Hide
          </button>
        </>
      }
    >
      <ol class="list checklist">
        {steps.map(([isDone, title, href, hint]) => (
          <li key={title} class={isDone ? "soft" : undefined}>
            <Icon name={isDone ? "check" : "ring"} />
            {isDone ? (
              <span>
                {title}
                <span class="visually-hidden">: done</span>
              </span>
            ) : (
              <>
                <a href={href}>{title}</a>
                <span class="soft small">{hint}</span>
              </>
            )}
          </li>
        ))}
      </ol>
    </Card>
  );
}
