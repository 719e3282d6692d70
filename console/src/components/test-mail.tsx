import { useState } from "preact/hooks";
import { ApiError, client, data, type Schemas } from "../api/client.ts";
import { ownAddress } from "../store/preferences.ts";
import { Icon } from "./icon.tsx";
import { OwnAddress } from "./own-address.tsx";

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
    <OwnAddress id="test-mail-to" label="Send a test mail to" action="Send" isInvalid={problem !== null} onSend={send}>
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
    </OwnAddress>
  );
}
