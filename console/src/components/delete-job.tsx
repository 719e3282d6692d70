import { useState } from "preact/hooks";
import { deleteJob } from "../store/actions.ts";
import { may } from "../store/session.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { useGoOn } from "./go-on.ts";

/** Deletes a job, or erases it with all its runs. Erasing needs the job's name, typed. */
export function DeleteJob({ name, onClose, goesTo }: { name: string; onClose: () => void; goesTo: string }) {
  const [erase, setErase] = useState(false);
  const [typed, setTyped] = useState("");
  const goOn = useGoOn();
  const act = () =>
    goOn(async () => {
      await deleteJob(name, erase);
      return goesTo;
    });
  return (
    <Dialog title={`Delete “${name}”?`} onClose={onClose}>
      <p>It runs no more and its name is free. Its runs stay readable.</p>
      <label class="check">
        <input
          type="checkbox"
          checked={erase}
          disabled={!may("administer")}
          onChange={(event) => setErase(event.currentTarget.checked)}
        />
        Erase its runs, results and events, too{may("administer") ? "" : " (needs the role admin)"}
      </label>
      {erase ? (
        <label>
          This cannot be undone. Type the job's name:
          <input
            type="text"
            value={typed}
            autocomplete="off"
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
      ) : null}
      <div class="dialog-actions">
        <button type="button" class="button plain" onClick={onClose}>
          Keep it
        </button>
        <Button
          kind="danger"
          need="edit"
          onAct={act}
          unless={erase && typed !== name ? "The name is not typed yet." : undefined}
        >
          {erase ? "Erase" : "Delete"}
        </Button>
      </div>
    </Dialog>
  );
}
