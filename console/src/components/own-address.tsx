import type { ComponentChildren } from "preact";
import { ownAddress } from "../store/preferences.ts";
import { may, reasonAgainst } from "../store/session.ts";
import { Button } from "./button.tsx";

interface Properties {
  id: string;
  label: string;
  /** Of the button. */
  action: string;
  isInvalid: boolean;
  onSend: () => Promise<void>;
  /** What became of the mail. */
  children: ComponentChildren;
}

/** The address to which a mail goes that is for trying, which this browser remembers, and the button that sends it. */
export function OwnAddress({ id, label, action, isInvalid, onSend, children }: Properties) {
  const missing = ownAddress.value === "" ? "Type an address first." : undefined;
  return (
    <div class="form">
      <div class="field">
        <label for={id}>{label}</label>
        <span class="beside">
          <input
            id={id}
            type="email"
            autocomplete="email"
            placeholder="you@example.com"
            aria-invalid={isInvalid}
            aria-describedby={`${id}-result`}
            value={ownAddress.value}
            onInput={(event) => (ownAddress.value = event.currentTarget.value)}
          />
          <Button onAct={onSend} unless={may("edit") ? missing : reasonAgainst("edit")}>
            {action}
          </Button>
        </span>
      </div>
      <div id={`${id}-result`} role="status">
        {children}
      </div>
    </div>
  );
}
