import type { Job } from "../api/client.ts";

type Addressed = Pick<
  Job,
  "consumer_emails" | "cc" | "bcc" | "failure_emails" | "split_by" | "recipients_by" | "unsubscribed"
>;

/** A person who gets mail of a job. */
export interface Recipient {
  address: string;
  /** What of it, and how, in words; empty for the whole result. */
  what: string;
  unsubscribed: boolean;
}

/** Returns the column of the result that names who gets it; undefined if the job itself names them. */
export function addressColumn({ split_by, recipients_by }: Addressed): string | undefined {
  if (split_by == null) return undefined;
  return typeof recipients_by === "string" ? recipients_by : undefined;
}

/** Returns all who get a result or a slice of it, as far as the job names them, each once. */
export function resultAddresses({ consumer_emails, cc, bcc, split_by, recipients_by }: Addressed): string[] {
  if (split_by == null) return [...new Set([...consumer_emails, ...cc, ...bcc])];
  return recipients_by == null || typeof recipients_by === "string"
    ? []
    : [...new Set(Object.values(recipients_by).flat())];
}

/** Returns all whom a job names, each once: who gets the result or a slice, then who hears of failures only. */
export function allRecipients(job: Addressed): Recipient[] {
  const gone = new Set(job.unsubscribed);
  const what = new Map<string, string[]>();
  const add = (addresses: readonly string[], words: string) => {
    for (const address of addresses) what.set(address, [...(what.get(address) ?? []), words]);
  };
  if (job.split_by == null) {
    add(job.consumer_emails, "");
    add(job.cc, "copy (cc)");
    add(job.bcc, "hidden copy (bcc)");
  } else if (job.recipients_by != null && typeof job.recipients_by !== "string") {
    for (const [value, addresses] of Object.entries(job.recipients_by)) add(addresses, `${job.split_by}: ${value}`);
  }
  const ofFailures = job.failure_emails.length > 0 ? job.failure_emails : job.consumer_emails;
  add(
    ofFailures.filter((address) => !what.has(address)),
    "failures only",
  );
  return [...what].map(([address, words]) => ({
    address,
    what: words.filter((word) => word !== "").join(", "),
    unsubscribed: gone.has(address),
  }));
}
