import assert from "node:assert/strict";
import { test } from "node:test";
import { clockChanges, dayStart, hoursOf, isDay } from "../src/words/calendar.ts";

test("the days on which the clocks change have their hours", () => {
  assert.deepEqual(
    [...clockChanges(2026, "Europe/Paris")],
    [
      ["2026-03-29", 23],
      ["2026-10-25", 25],
    ],
  );
  assert.deepEqual(
    [...clockChanges(2026, "Australia/Lord_Howe")],
    [
      ["2026-04-05", 24.5],
      ["2026-10-04", 23.5],
    ],
  );
  assert.deepEqual([...clockChanges(2026, "Asia/Kathmandu")], []);
});

test("a day that has no midnight begins at its first moment", () => {
  // In Santiago the clocks go from 24:00 to 01:00.
  const [spring] = [...clockChanges(2026, "America/Santiago")].filter(([, hours]) => hours === 23).map(([day]) => day);
  assert.ok(spring !== undefined);
  const begin = new Date(dayStart(spring, "America/Santiago")).toLocaleTimeString("en-GB", {
    timeZone: "America/Santiago",
  });
  assert.equal(begin, "01:00:00");
  // Samoa left out a day.
  assert.equal(hoursOf("2011-12-30", "Pacific/Apia"), 0);
});

test("only days of the calendar are days", () => {
  assert.deepEqual(["2026-02-29", "2028-02-29", "2026-13-01", "2026-1-1", "x"].filter(isDay), ["2028-02-29"]);
});
