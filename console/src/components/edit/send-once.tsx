import { useState } from "preact/hooks";
import { ApiError } from "../../api/client.ts";
import { ownAddress } from "../../store/preferences.ts";
import { OwnAddress } from "../own-address.tsx";
import type { Tried } from "./try-it.tsx";

interface Properties {
  /** Tries the draft, and mails its result to this address. */
  send: (address: string) => Promise<Tried | null>;
}

interface Outcome {
  ok: boolean;
  text: string;
}

/** Mails the draft's result once, to the person who writes it: the report's recipients get nothing. */
export function SendOnce({ send }: Properties) {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const sendNow = async () => {
    setOutcome(null);
    try {
      const tried = await send(ownAddress.value);
      setOutcome(tried === null ? { ok: false, text: "Stopped: the draft was changed meanwhile." } : outcomeOf(tried));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setOutcome({ ok: false, text: `Not sent: ${error.fields[0]?.detail ?? error.message}` });
    }
  };
  return (
    <OwnAddress
      id="send-once-to"
      label="Send me this once"
      action="Send"
      isInvalid={outcome?.ok === false}
      onSend={sendNow}
    >
      {outcome === null ? (
        <p class="soft small">To this address only, without saving. The recipients get nothing.</p>
      ) : (
        <p class={`small ${outcome.ok ? "ok" : "bad"}`}>{outcome.text}</p>
      )}
    </OwnAddress>
  );
}

function outcomeOf({ sent, error, skipped, notes }: Tried): Outcome {
  if (error !== null) return { ok: false, text: "Not sent: the try failed." };
  if (skipped !== null) return { ok: false, text: `Not sent: the script ends the run without mail: ${skipped}` };
  if (sent === null) return { ok: false, text: notes.at(-1)?.text ?? "Not sent." };
  if (sent.outcome === "accepted") return { ok: true, text: `Sent. The server accepted it for ${sent.recipient}.` };
  if (sent.outcome === "lost") return { ok: false, text: `It may have arrived: ${sent.answer}` };
  return { ok: false, text: `Not sent: the server answered ${sent.answer}` };
}
