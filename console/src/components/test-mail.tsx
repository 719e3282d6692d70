import { useState } from "preact/hooks";
import { ApiError, client, data, type Schemas } from "../api/client.ts";
import { ownAddress } from "../store/preferences.ts";
import { may, reasonAgainst } from "../store/session.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icon.tsx";

type Result = Schemas["TestMailResult"];

/** Sends a test mail through a running mailer, and shows each step of the SMTP session. */
export function TestMail() {
  const [problem, setProblem] = useState<string | null>(null);
  const [result, setResult] = useState<Result | null>(null);
  const send = async () => {
    setProblem(null);
    setResult(null);
    try {
      setResult(await data(client.POST("/system/test-mail", { body: { recipient: ownAddress.value } })));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.fields[0]?.detail ?? error.message);
    }
  };
  return (
    <div class="form">
      <div class="field">
        <label for="test-mail-to">Send a test mail to</label>
        <span class="beside">
          <input
            id="test-mail-to"
            type="email"
            autocomplete="email"
            placeholder="you@example.com"
            aria-invalid={problem !== null}
            aria-describedby="test-mail-result"
            value={ownAddress.value}
            onInput={(event) => (ownAddress.value = event.currentTarget.value)}
          />
          <Button
            onAct={send}
            unless={
              may("edit") ? (ownAddress.value === "" ? "Type an address first." : undefined) : reasonAgainst("edit")
            }
          >
            Send
          </Button>
        </span>
      </div>
      <div id="test-mail-result" role="status">
        {problem === null ? null : <p class="bad small">{problem}</p>}
        {result === null ? null : (
          <>
            <p class={result.ok ? "ok" : "bad"}>
              {result.ok ? "The server accepted it. Look into the mailbox." : `It failed at ${result.failed_at}.`}
            </p>
            <ol class="smtp-steps small">
              {result.steps.map(({ step, ok, detail }) => (
                <li key={step} class={ok ? undefined : "bad"}>
                  <Icon name={ok ? "check" : "cross"} />
                  <strong>{step}</strong> <span class="mono">{detail}</span>
                </li>
              ))}
            </ol>
          </>
        )}
      </div>
    </div>
  );
}
