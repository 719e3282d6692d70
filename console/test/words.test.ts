import assert from "node:assert/strict";
import test from "node:test";
import { usualRange } from "../src/components/history.tsx";
import { bytes, count, milliseconds, momentInZone, soon, zoneName } from "../src/words/format.ts";

test("numbers and durations are short and exact", () => {
  assert.equal(count(1, "row"), "1 row");
  assert.equal(count(4102, "row"), "4,102 rows");
  assert.equal(count(2, "person", "people"), "2 people");
  assert.deepEqual([bytes(999), bytes(2100), bytes(3_400_000)], ["999 B", "2.1 KB", "3.4 MB"]);
  assert.deepEqual([milliseconds(89.6), milliseconds(1234), milliseconds(64_000)], ["90 ms", "1.2 s", "1 min 4 s"]);
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

test("the usual range ignores an outlier, and needs enough runs", () => {
  assert.equal(usualRange([1, 2, 3]), undefined);
  assert.deepEqual(usualRange([30, 31, 32, 30, 31, 4000]), [28, 34]);
});
