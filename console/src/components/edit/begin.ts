// What a new report begins with: an example, a file of this device, or nothing. Files are stored before a draft names them.
import { ApiError, CONSOLE_HEADER, client, data } from "../../api/client.ts";
import {
  type Definition,
  type Draft,
  definitionOf,
  keepDraft,
  newDraft,
  newPlace,
  type Source,
} from "../../store/draft.ts";
import { ownAddress } from "../../store/preferences.ts";
import { me } from "../../store/session.ts";

export const FILE_TYPES = ["csv", "tsv", "json", "jsonl", "xlsx", "parquet"] as const;

/** What the address of a new report has after `from=` for one without an example, and the beginning for a stored file. */
export const EMPTY_PAGE = "nothing";
const OF_FILE = "file:";

export interface Example {
  name: string;
  report: string;
  job: Definition;
}

/** Returns the examples of `nightmail jobs new`, and the text of each data file. */
export async function loadGallery(): Promise<{ examples: Example[]; files: Record<string, string> }> {
  const { default: gallery } = await import("../../../build/gallery.json");
  return gallery as unknown as { examples: Example[]; files: Record<string, string> };
}

export function newHref(from: string): string {
  return `/console/jobs/new?from=${encodeURIComponent(from)}`;
}

/** The name of the error of `job-file.ts` for a file that is no job. */
export const NOT_A_JOB = "NotAJob";

/** Keeps the job of a file as a new draft, and returns what it begins with; null: the file is data. */
export async function draftOfJobFile(file: File): Promise<string | null> {
  const isJson = /\.json$/i.test(file.name);
  if (!isJson && !/\.ya?ml$/i.test(file.name)) return null;
  const text = await file.text();
  if (isJson && !/"processing_script"\s*:/.test(text)) return null;
  const { readJob } = await import("./job-file.ts");
  const from = `import:${file.name} ${new Date().toISOString()}`;
  keepDraft(me.value?.name ?? "", newPlace(from), { ...newDraft(definitionOf(readJob(text))), savedAt: Date.now() });
  return from;
}

/** Stores a file, and returns where a job finds it. */
export async function uploadFile(file: File): Promise<Partial<Source>> {
  await store(file.name, file);
  return fileSource(file.name);
}

/** Returns what a new report begins with once a stored file is its data. */
export function fromFile(path: string): string {
  return `${OF_FILE}${path}`;
}

/** Returns the draft of a new report. The data of an example is stored unless a file of that name is there. */
export async function beginWith(from: string): Promise<Draft> {
  const consumer_emails = ownAddress.value === "" ? [] : [ownAddress.value];
  if (from.startsWith(OF_FILE)) {
    const path = from.slice(OF_FILE.length);
    const name = path.replace(/\.[^.]*$/, "").replace(/[-_]+/g, " ");
    const data_source = { source_type: "file", file_type: "csv", ...fileSource(path) } as Source;
    return newDraft({ job_name: name, data_source, consumer_emails });
  }
  if (from === EMPTY_PAGE) return newDraft({ consumer_emails });
  const { examples, files } = await loadGallery();
  const example = examples.find(({ name }) => name === from);
  if (example === undefined) throw new ApiError(404, `there is no example “${from}”`);
  const stored = new Set((await data(client.GET("/files"))).items.map(({ path }) => path));
  for (const location of locations(example.job)) {
    const text = files[location];
    if (text !== undefined && !stored.has(location)) await store(location, new Blob([text]));
  }
  return newDraft({ ...example.job, consumer_emails });
}

function locations({ data_source, more_sources }: Definition): string[] {
  return [data_source, ...Object.values(more_sources ?? {})].map(({ location }) => location);
}

function fileSource(path: string): Partial<Source> {
  const ending = FILE_TYPES.find((type) => path.toLowerCase().endsWith(`.${type}`));
  return { location: path, ...(ending === undefined ? {} : { file_type: ending }) };
}

async function store(path: string, content: Blob): Promise<void> {
  const url = `/files/${path.split("/").map(encodeURIComponent).join("/")}`;
  const response = await fetch(url, { method: "PUT", body: content, headers: CONSOLE_HEADER });
  await data(Promise.resolve({ response, ...(response.ok ? {} : { error: await response.json() }) }));
}
