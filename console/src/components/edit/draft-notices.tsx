// What other tabs and other people do to a job while it is edited.
import { useEffect, useState } from "preact/hooks";
import { type Draft, keepDraft, onDraftElsewhere, type Place, same } from "../../store/draft.ts";
import { type LogEvent, onEvents } from "../../store/events.ts";

interface Properties {
  user: string;
  place: Place;
  /** The job; null: a new one. */
  name: string | null;
  draft: Draft;
  /** The draft as it is when an event comes, and whether this tab saves it at that moment. */
  latest: { readonly current: Draft };
  isSaving: { readonly current: boolean };
  /** Whether the page shows what both sides changed. */
  isMerging: boolean;
  onKept: (isKept: boolean) => void;
  /** Goes on with the draft of another tab. */
  onTake: (draft: Draft) => void;
}

/** Says that another tab changes, saves or drops the draft, or that somebody saves the job. Keeps this tab's draft. */
export function DraftNotices({ user, place, name, draft, latest, isSaving, isMerging, onKept, onTake }: Properties) {
  const [elsewhere, setElsewhere] = useState<Draft | null>(null);
  const [isRemoved, setRemoved] = useState(false);
  const [newer, setNewer] = useState<Newer | null>(null);
  useEffect(
    () =>
      onDraftElsewhere(user, place, (other) => {
        setElsewhere(other);
        const mine = latest.current;
        // The browser kept one draft for both tabs, and removed it with the other tab's.
        const isLost = other === null && mine.savedAt > 0 && !same(mine.definition, mine.base);
        setRemoved(isLost);
        if (isLost) onKept(keepDraft(user, place, mine));
      }),
    [],
  );
  useEffect(
    () =>
      onEvents((events) => {
        if (isSaving.current) return;
        const found = events.map(versionOf(name)).findLast((one) => one !== null);
        if (found != null) setNewer(found);
      }),
    [],
  );
  const isOld = newer !== null && newer.version > (draft.version ?? newer.version);
  return (
    <>
      {elsewhere === null ? null : (
        <div class="notice wait" role="alert">
          <p>Another tab changes this draft, too. The browser keeps the one that was changed last.</p>
          <button type="button" class="button plain" onClick={() => onTake(elsewhere)}>
            Go on with that one
          </button>
        </div>
      )}
      {!isRemoved || isOld ? null : (
        <p class="notice wait" role="alert">
          Another tab saved or dropped its draft. The browser keeps the one of this tab.
        </p>
      )}
      {!isOld || isMerging ? null : (
        <p class="notice wait" role="alert">
          {newer.actor} saved version {newer.version} in the meantime. The draft of this tab is kept: Save merges it
          with that version.
        </p>
      )}
    </>
  );
}

interface Newer {
  version: number;
  actor: string;
}

/** Returns what an event says about a new version of a job; null if it does not. */
function versionOf(name: string | null): (event: LogEvent) => Newer | null {
  return ({ type, job_name, data }) => {
    if (type !== "job-updated" || job_name !== name) return null;
    const { job, actor } = data as { job?: { version?: number }; actor?: string };
    return job?.version === undefined ? null : { version: job.version, actor: actor ?? "Somebody" };
  };
}
