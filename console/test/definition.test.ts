import assert from "node:assert/strict";
import test from "node:test";
import type { Job } from "../src/api/client.ts";
import { definitionFacts } from "../src/words/definition.ts";
import { duration } from "../src/words/format.ts";

const JOB = {
  schedule_time: "0 7 * * 1-5",
  schedules: [],
  schedule_description: "At 07:00, Monday through Friday",
  timezone: "Europe/Paris",
  data_source: { source_type: "file", location: "orders.csv", file_type: "csv", decimal: "." },
  more_sources: {},
  timeout_seconds: null,
  on_missed: "run_once",
  max_lateness_seconds: 86_400,
  overlap: "skip",
  retries: 0,
  notify_on_failure: true,
  failure_emails: [],
  when_empty: "send",
  when_unchanged: "send",
  attachments: ["csv"],
  csv: { delimiter: ",", decimal: ".", bom: false, float_format: null },
  keep_inputs: 10,
} as unknown as Job;

function facts(change: object): Record<string, string> {
  return Object.fromEntries(definitionFacts({ ...JOB, ...change }).map(({ term, words }) => [term, words]));
}

function reading(source: object): string | undefined {
  return facts({ data_source: { ...JOB.data_source, ...source } }).Reading;
}

test("a job with nothing set is said in few words", () => {
  const [schedule] = definitionFacts(JOB);
  assert.deepEqual(schedule, { term: "Schedule", words: "At 07:00, Monday through Friday", code: "0 7 * * 1-5" });
  assert.deepEqual(facts({}), {
    Schedule: "At 07:00, Monday through Friday",
    "Time zone": "Paris (Europe/Paris)",
    Data: "the file orders.csv, CSV",
    "The script's time": "as the system limits it",
    "A missed due time": "runs once, if it is at most 1 day late",
    "While a run goes on": "no other starts by schedule",
    "After a failure": "no further try; then a mail to the recipients",
    "An empty result": "is mailed",
    "An unchanged result": "is mailed",
    "The mail": "subject: the job's name and the day",
    Attached: "CSV",
    "Kept inputs": "those of the last 10 runs",
  });
  assert.equal(facts({ timezone: "UTC" })["Time zone"], "UTC");
});

test("each option of reading is said", () => {
  assert.equal(
    reading({
      delimiter: ";",
      decimal: ",",
      thousands: "'",
      skip_rows: 3,
      comment: "#",
      encoding: "cp1252",
      na_values: ["n/a", "-"],
      types: { zip: "text", due: "date", id: "text" },
    }),
    "semicolon between the columns; decimal comma; apostrophe between thousands; 3 lines above the header; " +
      "lines that begin with # are comments; encoding cp1252; missing: “n/a”, “-”; zip, id as text; due as date",
  );
  assert.equal(reading({ sheet: "May", records_path: "data.rows" }), "the sheet “May”; the records at data.rows");
});

test("how a web address or a database is asked is said, without the values of headers", () => {
  const source = {
    source_type: "api",
    location: "https://example.com/x",
    file_type: "json",
    method: "POST",
    params: { day: "{{ scheduled_at }}" },
    headers: { "X-Key": "secret" },
    body: { a: 1 },
    auth: { type: "bearer", token: "{{ secrets.T }}" },
    pagination: { type: "link", max_pages: 100 },
    timeout_seconds: 90,
  };
  assert.equal(facts({ data_source: source }).Data, "POST to https://example.com/x, JSON");
  assert.equal(
    facts({ data_source: source }).Reading,
    "parameters day = {{ scheduled_at }}; headers X-Key; with a body; signs in with a token; all pages, at most 100 pages; waits at most 1 minute 30 seconds",
  );
  const sql = { source_type: "sql", location: "SALES", query: "SELECT 1", parameters: { since: 3 } };
  const found = definitionFacts({ ...JOB, more_sources: { prices: sql } } as unknown as Job);
  assert.deepEqual(
    found.filter(({ term }) => term.includes("prices")),
    [
      { term: "Source prices", words: "a query of the database SALES", code: "SELECT 1" },
      { term: "Reading prices", words: "parameters since = 3" },
    ],
  );
});

test("what becomes of a failure, a late run and the mail is said", () => {
  const said = facts({
    timeout_seconds: 90,
    on_missed: "skip",
    retries: 2,
    failure_emails: ["ops@example.com"],
    when_unchanged: "skip",
    compare_by: ["id"],
    subject: "Sales",
    message: "Hello",
    reply_to: "ann@example.com",
    attachments: ["csv", "xlsx"],
    csv: { delimiter: ";", decimal: ",", bom: true, float_format: "%.2f" },
    keep_inputs: 0,
  });
  assert.equal(said["The script's time"], "at most 1 minute 30 seconds");
  assert.equal(said["A missed due time"], "is skipped");
  assert.equal(said["After a failure"], "2 further tries; then a mail to ops@example.com");
  assert.equal(facts({ notify_on_failure: false })["After a failure"], "no further try; nobody gets a mail");
  assert.equal(said["An unchanged result"], "is not mailed; rows are compared by id");
  assert.equal(said["The mail"], "subject: Sales; with a message above the table; answers to ann@example.com");
  assert.equal(
    said.Attached,
    "CSV and Excel workbook; semicolon between the columns; decimal comma; with a byte order mark; numbers as %.2f",
  );
  assert.equal(said["Kept inputs"], "none");
});

test("a number of seconds is said in its largest units", () => {
  assert.deepEqual([0, 1, 300, 5_400, 86_400, 90_061].map(duration), [
    "0 seconds",
    "1 second",
    "5 minutes",
    "1 hour 30 minutes",
    "1 day",
    "1 day 1 hour 1 minute 1 second",
  ]);
});
