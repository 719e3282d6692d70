// What a new report begins with: an example, a file of this device, or nothing. Files are stored before a draft names them.
import { ApiError, CONSOLE_HEADER, client, data, type Job, type Schemas } from "../../api/client.ts";
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
import { freeName } from "../../words/file-names.ts";

export const FILE_TYPES = ["csv", "tsv", "json", "jsonl", "xlsx", "parquet"] as const;

/** What the address of a new report has after `from=` for one without an example, and the beginning for a stored file. */
export const EMPTY_PAGE = "nothing";
const OF_FILE = "file:";
const OF_JOB = "job:";

/** The condition of an upload that replaces no file. */
const NO_FILE: Record<string, string> = { "If-None-Match": "*" };

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

/**
 * A stored file has the name of one that is uploaded, and other bytes. `free`: a name alike that no file has; `readers`: the
 * jobs that may read the stored one.
 */
export interface NameTaken {
  path: string;
  free: string;
  readers: string[];
}

/** What becomes of a file whose name is taken: it replaces the stored one, gets the free name, or is not uploaded at all. */
export type UploadChoice = "replace" | "keep both" | "use stored";

/**
 * Stores a file, and returns where a job finds it. Other reports may read a stored file of its name: `ask` decides what becomes
 * of that one, and null from it stops the upload.
 */
export async function uploadFile(
  file: File,
  ask: (taken: NameTaken) => Promise<UploadChoice | null>,
): Promise<Partial<Source> | null> {
  const stored = await listFiles();
  const there = stored.find(({ path }) => path === file.name);
  let path = file.name;
  let condition = NO_FILE;
  if (there !== undefined) {
    const free = freeName(file.name, new Set(stored.map((one) => one.path)));
    const isSame = there.size === file.size && there.sha256 === (await sha256(file));
    const choice = isSame ? "use stored" : await ask({ path, free, readers: await readersOf(path) });
    if (choice === null) return null;
    if (choice === "use stored") return fileSource(path);
    if (choice === "replace") condition = { "If-Match": `"${there.sha256}"` };
    else path = free;
  }
  try {
    await store(path, file, condition);
  } catch (error) {
    // Somebody stored or deleted the file since it was listed.
    if (error instanceof ApiError && error.status === 412) return uploadFile(file, ask);
    throw error;
  }
  return fileSource(path);
}

/** Returns null over plain HTTP from another machine, where browsers compute no digest. */
async function sha256(file: File): Promise<string | null> {
  if (!window.isSecureContext) return null;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Returns what a new report begins with once a stored file is its data. */
export function fromFile(path: string): string {
  return `${OF_FILE}${path}`;
}

/** Returns what a new report begins with that is made from another job. */
export function fromJob(name: string): string {
  return `${OF_JOB}${name}`;
}

/** Saves a job as a file on this device, which `nightmail jobs apply` and the page of a new report accept. */
export async function downloadJob(job: Job): Promise<void> {
  const { writeJob } = await import("./job-file.ts");
  const url = URL.createObjectURL(new Blob([writeJob(definitionOf(job))], { type: "application/yaml" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${job.job_name.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-")}.yaml`;
  link.click();
  URL.revokeObjectURL(url);
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
  if (from.startsWith(OF_JOB)) {
    const path = { job_name: from.slice(OF_JOB.length) };
    const job = await data(client.GET("/jobs/{job_name}", { params: { path } }));
    return newDraft({ ...definitionOf(job), job_name: `${job.job_name} copy` });
  }
  if (from === EMPTY_PAGE) return newDraft({ consumer_emails });
  const { examples, files } = await loadGallery();
  const example = examples.find(({ name }) => name === from);
  if (example === undefined) throw new ApiError(404, `there is no example “${from}”`);
  const stored = new Set((await listFiles()).map(({ path }) => path));
  for (const location of locations(example.job)) {
    const text = files[location];
    if (text === undefined || stored.has(location)) continue;
    await store(location, new Blob([text]), NO_FILE).catch((error) => {
      if (!(error instanceof ApiError) || error.status !== 412) throw error;
    });
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

async function listFiles(): Promise<Schemas["StoredFile"][]> {
  return (await data(client.GET("/files"))).items;
}

async function readersOf(path: string): Promise<string[]> {
  const { items } = await data(client.GET("/files", { params: { query: { path } } }));
  return items[0]?.read_by ?? [];
}

/** Stores a file; another one that is there meanwhile, or has other bytes than the condition names, is an ApiError 412. */
async function store(path: string, content: Blob, condition: Record<string, string>): Promise<void> {
  const url = `/files/${path.split("/").map(encodeURIComponent).join("/")}`;
  const response = await fetch(url, { method: "PUT", body: content, headers: { ...CONSOLE_HEADER, ...condition } });
  await data(Promise.resolve({ response, ...(response.ok ? {} : { error: await response.json() }) }));
}
