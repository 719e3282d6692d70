// A job's definition in words. What is as usual is said where somebody would ask for it, and left out elsewhere.
import type { Job } from "../api/client.ts";
import { count, duration, zoneName } from "./format.ts";
import { scheduleLines } from "./schedule.ts";

type Source = Job["data_source"];

export interface Fact {
  term: string;
  words: string;
  /** What the words stand for, as it is written: a schedule for cron, a query. */
  code?: string;
}

const FILE_TYPES: Record<NonNullable<Source["file_type"]>, string> = {
  csv: "CSV",
  tsv: "CSV with tabs (TSV)",
  json: "JSON",
  jsonl: "JSON lines",
  xlsx: "an Excel workbook",
  parquet: "Parquet",
};
const MARKS: Record<string, string> = {
  ",": "comma",
  ";": "semicolon",
  "\t": "tab",
  "|": "vertical bar",
  ".": "point",
  " ": "space",
  "'": "apostrophe",
  _: "underscore",
};
const SIGN_INS: Record<NonNullable<Source["auth"]>["type"], string> = {
  bearer: "signs in with a token",
  basic: "signs in with a user name and a password",
  header: "signs in with a header",
  oauth2_client_credentials: "signs in as an OAuth 2 client",
};

export function definitionFacts(job: Job): Fact[] {
  return [
    scheduleFact(job),
    { term: "Time zone", words: zoneName(job.timezone) === job.timezone ? job.timezone : zoneWords(job.timezone) },
    ...sourceFacts("Data", "Reading", job.data_source),
    ...Object.entries(job.more_sources ?? {}).flatMap(([name, source]) =>
      sourceFacts(`Source ${name}`, `Reading ${name}`, source),
    ),
    {
      term: "The script's time",
      words: job.timeout_seconds == null ? "as the system limits it" : `at most ${duration(job.timeout_seconds)}`,
    },
    {
      term: "A missed due time",
      words:
        job.on_missed === "skip"
          ? "is skipped"
          : `runs once, if it is at most ${duration(job.max_lateness_seconds)} late`,
    },
    {
      term: "While a run goes on",
      words: job.overlap === "allow" ? "another may start" : "no other starts by schedule",
    },
    { term: "After a failure", words: afterFailure(job) },
    { term: "An empty result", words: job.when_empty === "send" ? "is mailed" : "is not mailed" },
    { term: "An unchanged result", words: unchanged(job) },
    { term: "The mail", words: mailWords(job) },
    { term: "Attached", words: attached(job) },
    {
      term: "Kept inputs",
      words: job.keep_inputs === 0 ? "none" : `those of the last ${count(job.keep_inputs, "run")}`,
    },
  ];
}

function zoneWords(zone: string): string {
  return `${zoneName(zone)} (${zone})`;
}

/** A replica of an earlier version does not say the schedule in words. */
function scheduleFact(job: Job): Fact {
  const lines = scheduleLines(job).join("\n");
  const words = job.schedule_description as string | undefined;
  return words === undefined ? { term: "Schedule", words: lines } : { term: "Schedule", words, code: lines };
}

function sourceFacts(term: string, reading: string, source: Source): Fact[] {
  const how = [...requestWords(source), ...readingWords(source)];
  const place: Fact = { term, words: placeWords(source) };
  if (source.query != null) place.code = source.query;
  return [place, ...(how.length === 0 ? [] : [{ term: reading, words: how.join("; ") }])];
}

function placeWords({ source_type, location, file_type, method }: Source): string {
  if (source_type === "sql") return `a query of the database ${location}`;
  const type = FILE_TYPES[file_type ?? "csv"];
  return source_type === "file"
    ? `the file ${location}, ${type}`
    : `${method === "POST" ? "POST to " : ""}${location}, ${type}`;
}

/** Says how a web address is asked. Values of headers are not shown: they may be secret. */
function requestWords(source: Source): string[] {
  const { params, headers, body, auth, pagination, timeout_seconds, parameters } = source;
  return [
    ...(parameters == null || Object.keys(parameters).length === 0 ? [] : [`parameters ${pairs(parameters)}`]),
    ...(params == null || Object.keys(params).length === 0 ? [] : [`parameters ${pairs(params)}`]),
    ...(headers == null || Object.keys(headers).length === 0 ? [] : [`headers ${Object.keys(headers).join(", ")}`]),
    ...(body == null ? [] : ["with a body"]),
    ...(auth == null ? [] : [SIGN_INS[auth.type]]),
    ...(pagination == null ? [] : [`all pages, at most ${count(pagination.max_pages ?? 0, "page")}`]),
    ...(timeout_seconds == null ? [] : [`waits at most ${duration(timeout_seconds)}`]),
  ];
}

function pairs(values: object): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} = ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}

function readingWords(source: Source): string[] {
  const { sheet, records_path, delimiter, decimal, thousands, skip_rows, comment, encoding, na_values, types } = source;
  return [
    ...(sheet == null ? [] : [`the sheet “${sheet}”`]),
    ...(records_path == null ? [] : [`the records at ${records_path}`]),
    ...(delimiter == null ? [] : [`${mark(delimiter)} between the columns`]),
    ...(decimal === "," ? ["decimal comma"] : []),
    ...(thousands == null ? [] : [`${mark(thousands)} between thousands`]),
    ...(skip_rows ? [`${count(skip_rows, "line")} above the header`] : []),
    ...(comment == null ? [] : [`lines that begin with ${comment} are comments`]),
    ...(encoding == null ? [] : [`encoding ${encoding}`]),
    ...(na_values == null || na_values.length === 0
      ? []
      : [`missing: ${na_values.map((word) => `“${word}”`).join(", ")}`]),
    ...typeWords(types ?? {}),
  ];
}

function mark(text: string): string {
  return MARKS[text] ?? `“${text}”`;
}

/** Returns the columns of each type: `zip, order_id as text`. */
function typeWords(types: NonNullable<Source["types"]>): string[] {
  const columns = Object.entries(types);
  return [...new Set(Object.values(types))].map(
    (type) => `${columns.flatMap(([name, one]) => (one === type ? [name] : [])).join(", ")} as ${type}`,
  );
}

function afterFailure({ retries, notify_on_failure, failure_emails }: Job): string {
  const again = retries === 0 ? "no further try" : count(retries ?? 0, "further try", "further tries");
  if (notify_on_failure === false) return `${again}; nobody gets a mail`;
  const who = failure_emails?.length ? failure_emails.join(", ") : "the recipients";
  return `${again}; then a mail to ${who}`;
}

function unchanged({ when_unchanged, compare_by }: Job): string {
  if (when_unchanged !== "skip") return "is mailed";
  return `is not mailed${compare_by?.length ? `; rows are compared by ${compare_by.join(", ")}` : ""}`;
}

function mailWords({ subject, message, sender_name, reply_to }: Job): string {
  return [
    subject == null ? "subject: the job's name and the day" : `subject: ${subject}`,
    ...(message ? ["with a message above the table"] : []),
    ...(sender_name == null ? [] : [`from ${sender_name}`]),
    ...(reply_to == null ? [] : [`answers to ${reply_to}`]),
  ].join("; ");
}

function attached({ attachments, csv, csv_formulas }: Job): string {
  const files = attachments ?? ["csv"];
  if (files.length === 0) return "nothing";
  return [
    files.map((file) => (file === "csv" ? "CSV" : "Excel workbook")).join(" and "),
    ...(csv == null || csv.delimiter === "," ? [] : [`${mark(csv.delimiter ?? ",")} between the columns`]),
    ...(csv?.decimal === "," ? ["decimal comma"] : []),
    ...(csv?.bom ? ["with a byte order mark"] : []),
    ...(csv?.float_format == null ? [] : [`numbers as ${csv.float_format}`]),
    ...(csv_formulas === "keep" ? ["formulas stay formulas"] : []),
  ].join("; ");
}
