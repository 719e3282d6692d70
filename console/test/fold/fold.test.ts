// After each event of a recorded log, the console's runs and jobs equal those that the API lists (tests/console/test_fold.py).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import type { Job, Run } from "../../src/api/client.ts";
import type { LogEvent } from "../../src/store/events.ts";
import { foldJob, foldRun } from "../../src/store/fold.ts";

interface Case {
  event: LogEvent;
  runs: Run[];
  jobs: Job[];
}

const cases: Case[] = JSON.parse(readFileSync(process.env.FOLD_CASES ?? "", "utf8"));

test("runs equal the projection's after every event", () => {
  const runs = new Map<string, Run>();
  for (const { event, runs: expected } of cases) {
    const folded = event.run_id === null ? undefined : foldRun(runs.get(event.run_id), event);
    if (folded !== undefined) runs.set(folded.run_id, folded);
    // Only the log's owner can erase; the page of an erased job loads its lists again.
    for (const run_id of [...runs.keys()].filter((id) => !expected.some((run) => run.run_id === id))) {
      assert.equal(event.type, "job-erased");
      runs.delete(run_id);
    }
    const byId = Object.fromEntries(expected.map((run) => [run.run_id, run]));
    assert.deepEqual(Object.fromEntries(runs), byId, `after event ${event.seq}, ${event.type}`);
  }
  assert.ok(runs.size > 5);
});

test("an event that arrives twice changes nothing", () => {
  const runs = new Map<string, Run>();
  for (const { event } of cases) {
    if (event.run_id === null) continue;
    const once = foldRun(runs.get(event.run_id), event);
    if (once === undefined) continue;
    assert.deepEqual(foldRun(once, event), once, `event ${event.seq}, ${event.type}`);
    runs.set(event.run_id, once);
  }
});

test("a job that a page shows follows its events", () => {
  const known = new Map<string, Job>();
  for (const { event, jobs } of cases) {
    for (const job of jobs) {
      const before = known.get(job.job_name);
      const folded = before === undefined ? undefined : foldJob(before, event);
      if (folded && before?.job_id === job.job_id && event.job_name === job.job_name) {
        for (const field of ["status", "version", "schedule_time", "processing_script"] as const) {
          assert.deepEqual(folded[field], job[field], `${field} after event ${event.seq}, ${event.type}`);
        }
        assert.deepEqual(folded.last_run?.status, job.last_run?.status, `after event ${event.seq}, ${event.type}`);
        assert.deepEqual(folded.last_run?.rows, job.last_run?.rows);
      }
    }
    known.clear();
    for (const job of jobs) known.set(job.job_name, job);
  }
});
