import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import { may, type Permission, reasonAgainst } from "../store/session.ts";
import { show } from "../store/toast.ts";

interface Properties {
  children: ComponentChildren;
  /** What the role must permit; without the permission the button stays, disabled, with the reason. */
  need?: Permission;
  kind?: "primary" | "plain" | "danger";
  onAct: () => unknown;
  /** Why nobody may do it at the moment. */
  unless?: string | undefined;
  label?: string;
}

/** A button that is busy while its action goes on, and says why it cannot be used. */
export function Button({ children, need, kind = "plain", onAct, unless, label }: Properties) {
  const [busy, setBusy] = useState(false);
  const id = useId();
  const reason = need !== undefined && !may(need) ? reasonAgainst(need) : unless;
  const act = async () => {
    if (reason !== undefined || busy) return;
    setBusy(true);
    try {
      await onAct();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      show(refusal(error), "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <span class="button-place" title={reason}>
      <button
        type="button"
        class={`button ${kind}`}
        onClick={act}
        aria-disabled={reason !== undefined}
        aria-busy={busy}
        aria-label={label}
        aria-describedby={reason === undefined ? undefined : id}
      >
        {children}
      </button>
      {reason === undefined ? null : (
        <span id={id} class="visually-hidden">
          {reason}
        </span>
      )}
    </span>
  );
}

/** Returns what a person needs to know about a refused action. */
export function refusal(error: ApiError): string {
  if (error.status === 403) return reasonAgainst("edit");
  if (error.status === 412) return "Somebody changed the job in the meantime. Load the page again to see it.";
  if (error.status === 503) return "The log does not answer. Nothing is lost; nothing can be changed until it is back.";
  return error.fields[0]?.detail ?? error.message;
}
