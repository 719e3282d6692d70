// The API as typed functions. Every error is an ApiError, so that a page knows what to say.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

export type Schemas = components["schemas"];
export type Job = Schemas["JobResponse"];
/** A job of a list: without its script, and with what its last runs became. */
export type JobSummary = Omit<Job, "processing_script"> &
  Pick<Schemas["JobSummary"], "fates" | "usual_rows" | "failing">;
export type Run = Schemas["Run"];
export type LastRun = Schemas["LastRun"];
export type RunDetail = Schemas["RunWithTimeline"];
export type Slot = Schemas["Slot"];
export type Version = Schemas["Version"];
export type Mail = Schemas["Mail"];
export type Me = Schemas["Me"];
export type RunStatus = Run["status"];
export type Fate = Slot["fate"];

export interface FieldError {
  field: string;
  detail: string;
  hint?: string | null;
}

export class ApiError extends Error {
  /** `status` 0: the API did not answer. */
  constructor(
    readonly status: number,
    detail: string,
    readonly fields: FieldError[] = [],
  ) {
    super(detail);
  }
}

/** The API demands this header with a session, because no form of another page can send it. */
export const CONSOLE_HEADER = { "X-Nightmail-Console": "1" };

export const client = createClient<paths>({ baseUrl: "", headers: CONSOLE_HEADER });

const onSessionEnd: (() => void)[] = [];

/** Calls back when the API refuses the session. */
export function whenSessionEnds(callback: () => void): void {
  onSessionEnd.push(callback);
}

/** Returns the data of a response, or throws its problem document as an ApiError. */
export async function data<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let result: Awaited<typeof answer>;
  try {
    result = await answer;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unanswered();
  }
  const { response } = result;
  if (response.ok) return result.data as T;
  const problem = result.error as { detail?: string; errors?: FieldError[] } | undefined;
  if (response.status === 401) for (const callback of onSessionEnd) callback();
  // A proxy answers in place of an API that does not.
  if (problem?.detail === undefined && [502, 504].includes(response.status)) throw unanswered();
  const detail = problem?.detail ?? `The answer had the status ${response.status} and no reason.`;
  throw new ApiError(response.status, detail, problem?.errors ?? []);
}

function unanswered(): ApiError {
  return new ApiError(0, "Nightmail does not answer.");
}

/** Returns null for what is not there, such as the version of a job that was erased. Another failure stays one. */
export async function orNothing<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

export interface JobSummaryPage {
  items: JobSummary[];
  next_cursor: string | null;
}

type JobQuery = NonNullable<paths["/jobs"]["get"]["parameters"]["query"]>;

/** Returns a page of jobs without their scripts. */
export async function listJobs(query: JobQuery, signal: AbortSignal | null): Promise<JobSummaryPage> {
  const params = { query: { ...query, view: "summary" as const } };
  // The document cannot say that `view` decides which of two pages the answer is.
  return (await data(client.GET("/jobs", { params, signal }))) as unknown as JobSummaryPage;
}

export type Overview = Omit<Schemas["Overview"], "failing" | "next"> & Record<"failing" | "next", JobSummary[]>;

/** Returns how things stand, in one answer. */
export async function readOverview(signal: AbortSignal): Promise<Overview> {
  // The document leaves the fields of a summary's job open.
  return (await data(client.GET("/overview", { signal }))) as unknown as Overview;
}

export async function loadRun(run_id: string, signal: AbortSignal): Promise<RunDetail> {
  return data(client.GET("/runs/{run_id}", { params: { path: { run_id } }, signal }));
}

/** Returns the version of the job that ran; null if it is not known, such as that of a deleted job, whose name another may have. */
export async function versionThatRan(run: RunDetail, signal: AbortSignal): Promise<Schemas["VersionWithJob"] | null> {
  const path = { job_name: run.job_name, version: run.job_version };
  const request = client.GET("/jobs/{job_name}/versions/{version}", { params: { path }, signal });
  const version = await orNothing(data(request));
  return version?.job.job_id === run.job_id ? version : null;
}
