import { useState } from "preact/hooks";
import type { RunDetail } from "../api/client.ts";
import { resendRun } from "../store/actions.ts";
import { count } from "../words/format.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { MailOutcome } from "./mail-outcome.tsx";

/** Returns the mails with the result, one for each recipient: of several slices, the one that went worst. */
export function resultMails(run: RunDetail): RunDetail["mails"] {
  const worst = new Map<string, RunDetail["mails"][number]>();
  for (const mail of run.mails.filter(({ kind }) => kind === "result")) {
    if (worst.get(mail.address)?.outcome === undefined || mail.outcome !== "accepted") worst.set(mail.address, mail);
  }
  return [...worst.values()];
}

/** Sends the result of a run again, to those that are chosen: at first those who did not get it. */
export function Resend({ run, onClose }: { run: RunDetail; onClose: () => void }) {
  const mails = resultMails(run);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(
    () => new Set(mails.filter(({ outcome }) => outcome !== "accepted").map(({ address }) => address)),
  );
  const toggle = (address: string) =>
    setChosen(
      chosen.has(address) ? new Set([...chosen].filter((one) => one !== address)) : new Set([...chosen, address]),
    );
  const send = async () => {
    await resendRun(run.run_id, [...chosen]);
    onClose();
  };
  return (
    <Dialog title="Send the result again?" onClose={onClose}>
      <fieldset class="recipients">
        <legend class="small">To whom</legend>
        {mails.map(({ address, outcome }) => (
          <label key={address} class="check">
            <input type="checkbox" checked={chosen.has(address)} onChange={() => toggle(address)} />
            <span>{address}</span> <MailOutcome of={outcome} />
          </label>
        ))}
      </fieldset>
      <div class="dialog-actions">
        <button type="button" class="button plain" onClick={onClose}>
          Close
        </button>
        <Button kind="primary" need="edit" onAct={send} unless={chosen.size === 0 ? "Nobody is chosen." : undefined}>
          {chosen.size === 0 ? "Send" : `Send to ${count(chosen.size, "person", "people")}`}
        </Button>
      </div>
    </Dialog>
  );
}
