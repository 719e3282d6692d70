// A job file (`nightmail jobs pull`, `apply`): YAML or JSON with the fields of the API. It is loaded with the first one, and
// imports no other module of ours: the build would make a second shared chunk.
import { parse, stringify } from "yaml";

/** A file that is no job; the message says why. */
export class NotAJob extends Error {
  override name = "NotAJob";
}

const FILE_TAG = {
  tag: "!file",
  resolve(path: string): never {
    throw new NotAJob(`it includes ${path}, which is beside it: put the text of that file in its place`);
  },
};

/**
 * Returns the fields of the job in a file.
 *
 * The command reads YAML 1.1, in which `9:30` without quotes is a number; so does this.
 */
export function readJob(text: string): object {
  let job: unknown;
  try {
    job = parse(text, { version: "1.1", customTags: [FILE_TAG] });
  } catch (error) {
    throw error instanceof NotAJob
      ? error
      : new NotAJob(error instanceof Error ? firstLine(error.message) : `${error}`);
  }
  if (typeof job !== "object" || job === null || Array.isArray(job) || !("processing_script" in job)) {
    throw new NotAJob("a job is a mapping of fields with a processing_script");
  }
  return job;
}

/** Returns a job file for a job's fields. Values that YAML 1.1 would take for another type are quoted. */
export function writeJob(fields: object): string {
  return stringify(fields, { version: "1.1", lineWidth: 0 });
}

function firstLine(text: string): string {
  return text.split("\n")[0]?.replace(/:$/, "") ?? "";
}
