import assert from "node:assert/strict";
import test from "node:test";
import type { Run } from "../src/api/client.ts";
import { outOfTheOrdinary, rangeInWords, usualRange } from "../src/components/history.tsx";
import type { LogEvent } from "../src/store/events.ts";
import { commandLine } from "../src/words/command.ts";
import { describeEvent } from "../src/words/events.ts";
import { freeName } from "../src/words/file-names.ts";
import {
  bytes,
  count,
  exactMoment,
  milliseconds,
  moment,
  momentInZone,
  sentenceEnd,
  soon,
  zoneName,
} from "../src/words/format.ts";
import { lineOfPick, type Pick, pickOf } from "../src/words/schedule-pick.ts";

test("numbers and durations are short and exact", () => {
  assert.equal(count(1, "row"), "1 row");
  assert.equal(count(4102, "row"), "4,102 rows");
  assert.equal(count(2, "person", "people"), "2 people");
  assert.deepEqual([bytes(999), bytes(2100), bytes(3_400_000)], ["999 B", "2.1 KB", "3.4 MB"]);
  assert.deepEqual([89.6, 1234, 64_000].map(milliseconds), ["90 ms", "1.2 s", "1 min 4 s"]);
  assert.deepEqual([119_700, 7_876_000].map(milliseconds), ["2 min 0 s", "2 h 11 min"]);
});

test("a message ends a sentence with one full stop, and a long one is cut", () => {
  const words = ["no column", "done.", "did you mean region?", "first\nsecond"].map(sentenceEnd);
  assert.deepEqual(words, ["no column.", "done.", "did you mean region?", "first."]);
  assert.equal(sentenceEnd("a".repeat(400)), `${"a".repeat(300)}…`);
});

test("a mail that is not sent has its reason in words", () => {
  const said = (reason: string) =>
    describeEvent({ type: "mail-skipped", data: { kind: "failure", reason } } as unknown as LogEvent).text;
  assert.equal(said("streak"), "no failure mail: the recipients got one of this job less than an hour ago");
  assert.equal(said("of_a_later_version"), "no failure mail: of_a_later_version");
});

test("moments within a minute are distinguished by their seconds", () => {
  assert.equal(exactMoment("2031-07-01T07:00:05Z", "Europe/Paris"), "Tue 1 Jul 2031 09:00:05");
});

test("a time near the present is in minutes, and one far away is not", () => {
  const now = Date.parse("2026-11-25T09:00:00Z");
  const words = [30, 240, -20, -300, 3600].map((seconds) => soon(new Date(now + seconds * 1000), now));
  assert.deepEqual(words, ["within a minute", "in 4 min", "just now", "5 min ago", undefined]);
});

test("a zone is named, and a second one appears only where it differs", () => {
  assert.equal(zoneName("America/Los_Angeles"), "Los Angeles");
  // The script of this package sets the reader's zone to Paris.
  const summer = "2031-07-01T07:00:00Z";
  assert.equal(momentInZone(summer, "Europe/Paris"), "Tue 1 Jul 2031 09:00 Paris");
  assert.equal(momentInZone(summer, "Asia/Kathmandu"), "Tue 1 Jul 2031 12:45 Kathmandu (09:00 yours)");
  assert.equal(momentInZone("2031-07-01T23:00:00Z", "UTC"), "Tue 1 Jul 2031 23:00 UTC (Wed 2 Jul 2031 01:00 yours)");
});

// In Paris, Sunday 28 March 2027 has 23 hours, and Sunday 31 October 2027 has 25.
for (const [now, time, words] of [
  ["2027-03-27T22:30:00Z", "2027-03-28T07:00:00Z", "tomorrow 09:00"],
  ["2027-03-27T22:30:00Z", "2027-03-29T07:00:00Z", "Mon 29 Mar 09:00"],
  ["2027-03-28T22:30:00Z", "2027-03-28T07:00:00Z", "yesterday 09:00"],
  ["2027-03-28T22:30:00Z", "2027-03-27T08:00:00Z", "Sat 27 Mar 09:00"],
  ["2027-10-30T22:30:00Z", "2027-10-31T08:00:00Z", "today 09:00"],
  ["2027-10-30T22:30:00Z", "2027-11-01T08:00:00Z", "tomorrow 09:00"],
  ["2027-10-31T22:30:00Z", "2027-10-30T07:00:00Z", "yesterday 09:00"],
  ["2027-10-31T22:30:00Z", "2027-10-31T08:00:00Z", "today 09:00"],
] as const) {
  test(`at ${now}, ${time} is ${words} in Paris`, (context) => {
    context.mock.timers.enable({ apis: ["Date"], now: Date.parse(now) });
    assert.equal(moment(time, "Europe/Paris"), words);
  });
}

test("the usual range ignores an outlier, and needs enough runs", () => {
  assert.equal(usualRange([1, 2, 3]), undefined);
  assert.deepEqual(usualRange([30, 31, 32, 30, 31, 4000]), [28, 34]);
  assert.equal(rangeInWords([28, 4034]), "28–4,034");
  assert.equal(rangeInWords([31, 31]), "31");
});

test("rows are out of the ordinary only among those of their weekday in the job's zone", () => {
  // Every day at 23:30 UTC, which is the next day in Paris; on Wednesdays there are 200 rows, otherwise 10.
  const daily = Array.from({ length: 60 }, (_, days) => {
    const due = new Date(Date.parse("2026-11-24T23:30:00Z") - days * 86_400_000);
    return { scheduled_at: due.toISOString(), rows: due.getUTCDay() === 2 ? 200 : 10 } as Run;
  });
  assert.equal(outOfTheOrdinary(daily, "Europe/Paris"), undefined);
  const few = [{ ...daily[0], rows: 12 } as Run, ...daily.slice(1)];
  const words = "Out of the ordinary: the last result has 12 rows, those of a Wed usually 200.";
  assert.equal(outOfTheOrdinary(few, "Europe/Paris"), words);
  assert.equal(outOfTheOrdinary(few.slice(0, 30), "Europe/Paris"), undefined);
});

test("a file whose name is taken gets the next free number before its ending", () => {
  assert.equal(freeName("sales.csv", new Set(["sales.csv"])), "sales-2.csv");
  assert.equal(freeName("a.b.csv", new Set(["a.b-2.csv"])), "a.b-3.csv");
  assert.deepEqual([freeName("sales", new Set()), freeName(".env", new Set())], ["sales-2", ".env-2"]);
});

test("a command's words reach it as they are", () => {
  assert.equal(commandLine("jobs", "run", "daily-sales_2"), "nightmail jobs run daily-sales_2");
  assert.equal(commandLine("jobs", "run", "Ann's $HOME *"), "nightmail jobs run 'Ann'\\''s $HOME *'");
  assert.equal(commandLine("jobs", "run", "Größe"), "nightmail jobs run 'Größe'");
  assert.equal(commandLine("runs", "log", ""), "nightmail runs log ''");
});

for (const [line, pick] of [
  ["09:00", { often: "day", time: "09:00", day: 1 }],
  ["30 6 * * 1-5", { often: "weekdays", time: "06:30", day: 1 }],
  ["5 0 * * 0", { often: "week", time: "00:05", day: 0 }],
  ["0 23 28 * *", { often: "month", time: "23:00", day: 28 }],
  ["15 * * * *", { often: "hour", time: "00:15", day: 1 }],
] satisfies [string, Pick][]) {
  test(`the schedule ${line} is picked from lists, and written as it was`, () => {
    assert.deepEqual(pickOf(line), pick);
    assert.equal(lineOfPick(pick), line);
  });
}

test("a schedule in other words for the same is picked, too", () => {
  assert.deepEqual(pickOf(" 0  9 * * * "), { often: "day", time: "09:00", day: 1 });
  assert.deepEqual(pickOf("0 9 * * 7"), { often: "week", time: "09:00", day: 0 });
});

for (const line of [
  "",
  "9:00",
  "24:00",
  "60 9 * * *",
  "0 24 * * *",
  "0 9 0 * *",
  "0 9 31 * *",
  "0 9 1 * 1",
  "0 9 * 1 *",
  "0 9 * * 8",
  "* * * * *",
  "*/5 * * * *",
  "0 9,17 * * *",
  "0 * 1 * *",
  "0 * * * 1-5",
  "@daily",
  "0 9 * * 1-5 2027",
]) {
  test(`the schedule ${JSON.stringify(line)} is only written`, () => assert.equal(pickOf(line), null));
}
