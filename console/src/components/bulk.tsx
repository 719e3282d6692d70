// Several rows at once: which are chosen, what can be done to them, and which of them it failed for, by name.
import { useState } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import { show } from "../store/toast.ts";
import { count } from "../words/format.ts";
import { Button, refusal } from "./button.tsx";

export interface Selection {
  has: (id: string) => boolean;
  toggle: (id: string) => void;
}

/** Returns what is chosen of the rows that are shown, and how to change it. */
export function useSelection(shown: string[]) {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const chosen = shown.filter((id) => ids.has(id));
  const toggle = (id: string) =>
    setIds(ids.has(id) ? new Set([...ids].filter((one) => one !== id)) : new Set([...ids, id]));
  return {
    chosen,
    has: (id: string) => ids.has(id),
    toggle,
    toggleAll: () => setIds(chosen.length === shown.length ? new Set() : new Set(shown)),
    clear: () => setIds(new Set()),
  };
}

/** The box at the begin of a row. */
export function Choose({ selection, id, label }: { selection: Selection | undefined; id: string; label: string }) {
  if (selection === undefined) return null;
  return (
    <label class="choose">
      <input
        type="checkbox"
        checked={selection.has(id)}
        onChange={() => selection.toggle(id)}
        aria-label={`Choose ${label}`}
      />
    </label>
  );
}

interface Action {
  word: string;
  /** What was done, as in "Paused 3 jobs." */
  done: string;
  act: (jobName: string) => Promise<unknown>;
}

interface Properties {
  selection: ReturnType<typeof useSelection>;
  /** Rows that are shown. */
  many: number;
  /** The jobs of the chosen rows, each once. */
  jobs: string[];
  actions: Action[];
}

export function BulkBar({ selection, many, jobs, actions }: Properties) {
  const [failed, setFailed] = useState<{ name: string; reason: string }[]>([]);
  const { chosen } = selection;
  const actOnAll = async ({ act, done }: Action) => {
    const refused: typeof failed = [];
    setFailed([]);
    for (const name of jobs) {
      try {
        await act(name);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        refused.push({ name, reason: refusal(error) });
      }
    }
    setFailed(refused);
    const succeeded = jobs.length - refused.length;
    if (succeeded > 0) show(`${done} ${count(succeeded, "job")}.`, refused.length === 0 ? "ok" : "soft");
    if (refused.length === 0) selection.clear();
  };
  return (
    <>
      <div class="bulk small">
        <label class="check">
          <input type="checkbox" checked={chosen.length === many} onChange={selection.toggleAll} />
          {chosen.length === 0 ? `Choose all ${many}` : `${chosen.length} of ${many} chosen`}
        </label>
        {chosen.length === 0
          ? null
          : actions.map((action) => (
              <Button key={action.word} need="edit" onAct={() => actOnAll(action)}>
                {action.word}
              </Button>
            ))}
      </div>
      {failed.length === 0 ? null : (
        <div class="notice bad" role="alert">
          <ul>
            {failed.map(({ name, reason }) => (
              <li key={name}>
                <strong>{name}</strong>: {reason}
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}
