// An unsaved job: kept in this browser at every change, so that a closed tab, an ended session or a crash loses nothing.
import type { Schemas } from "../api/client.ts";

export type Definition = Schemas["JobDefinition"];
export type Source = Definition["data_source"];

/** A change of a job: of the version that was loaded, or of no job yet. */
export interface Draft {
  definition: Definition;
  /** What the definition was before; null for a new job. */
  base: Definition | null;
  etag: string | null;
  version: number | null;
  savedAt: number;
}

/** What the answer about a job has besides its definition. */
export const ANSWER_FIELDS: ReadonlySet<string> = new Set([
  "job_id",
  "version",
  "created_at",
  "updated_at",
  "status",
  "last_run",
  "next_run",
  "schedule_description",
  "unsubscribed",
  "warnings",
]);

const EMPTY: Definition = {
  job_name: "",
  schedule_time: "0 8 * * 1-5",
  timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  data_source: { source_type: "file", location: "", file_type: "csv" },
  processing_script: "return data\n",
  consumer_emails: [],
} as unknown as Definition;

/** Returns the definition of a job as the API answers it; empty values that stand for defaults are left out. */
export function definitionOf(job: object): Definition {
  const kept = Object.entries(job).filter(([name, value]) => !ANSWER_FIELDS.has(name) && value !== null);
  return Object.fromEntries(kept) as Definition;
}

/** Returns the draft of a new job, with the fields that are known. */
export function newDraft(fields: Partial<Definition> = {}): Draft {
  return { definition: { ...EMPTY, ...fields }, base: null, etag: null, version: null, savedAt: 0 };
}

/** Where a draft belongs: the name of a job, or `/new/` and what a new one began with. No name has a slash. */
export type Place = string;

const NEW: Place = "/new/";

export function newPlace(from: string): Place {
  return `${NEW}${from}`;
}

function key(user: string, place: Place): string {
  return `nightmail-draft ${user} ${place}`;
}

export function hasDrafts(user: string): boolean {
  return Object.keys(localStorage).some((name) => name.startsWith(key(user, "")));
}

/** Returns what the kept drafts of new jobs began with, and each draft. */
export function newDrafts(user: string): [string, Draft][] {
  const begin = key(user, NEW);
  const found = Object.keys(localStorage).filter((name) => name.startsWith(begin));
  return found.flatMap((name) => {
    const from = name.slice(begin.length);
    const draft = keptDraft(user, newPlace(from));
    return draft === null ? [] : [[from, draft] as [string, Draft]];
  });
}

/** Returns the draft that this browser keeps; null if there is none, or what is kept is not readable. */
export function keptDraft(user: string, place: Place): Draft | null {
  try {
    const text = localStorage.getItem(key(user, place));
    return text === null ? null : (JSON.parse(text) as Draft);
  } catch {
    return null;
  }
}

export function keepDraft(user: string, place: Place, draft: Draft): boolean {
  try {
    localStorage.setItem(key(user, place), JSON.stringify(draft));
    return true;
  } catch {
    return false; // the browser's storage is full or switched off
  }
}

/** Calls back when another tab of this browser changes the draft, or removes it (null); returns the function that stops it. */
export function onDraftElsewhere(user: string, place: Place, listener: (draft: Draft | null) => void): () => void {
  const onStorage = (event: StorageEvent): void => {
    if (event.key === key(user, place)) listener(keptDraft(user, place));
  };
  window.addEventListener("storage", onStorage);
  return () => window.removeEventListener("storage", onStorage);
}

/** Removes a draft that is saved or dropped, unless the browser keeps another one there: that is another tab's. */
export function dropDraft(user: string, place: Place, draft: Draft): void {
  const kept = keptDraft(user, place);
  if (kept === null || (kept.savedAt === draft.savedAt && same(kept.definition, draft.definition))) {
    localStorage.removeItem(key(user, place));
  }
}

export interface Merge {
  merged: Definition;
  /** Fields that both sides changed, each to something else. */
  conflicts: (keyof Definition)[];
  /** Fields that only the other side changed. */
  theirs: (keyof Definition)[];
}

/** Joins a draft with what somebody else saved meanwhile, field by field; of a conflict the draft's value stays. */
export function merge(base: Definition, mine: Definition, theirs: Definition): Merge {
  const names = [...new Set([...Object.keys(base), ...Object.keys(mine), ...Object.keys(theirs)])];
  const result: Merge = { merged: { ...mine }, conflicts: [], theirs: [] };
  for (const name of names as (keyof Definition)[]) {
    if (same(base[name], theirs[name]) || same(mine[name], theirs[name])) continue;
    if (same(base[name], mine[name])) {
      result.theirs.push(name);
      result.merged = { ...result.merged, [name]: theirs[name] };
    } else {
      result.conflicts.push(name);
    }
  }
  return result;
}

export function same(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

/** Returns a value as text that does not depend on the order of its fields; a missing value is like null. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, inner) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
