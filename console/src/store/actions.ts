// What the user can do to jobs and runs. Each names the command that does the same.
import { client, data } from "../api/client.ts";
import { followRun, show } from "./toast.ts";

const named = (job_name: string) => ({ params: { path: { job_name } } });
const ofRun = (run_id: string) => ({ params: { path: { run_id } } });

export const requestRun = (name: string) => data(client.POST("/jobs/{job_name}/run", named(name)));
export const requestPause = (name: string) => data(client.POST("/jobs/{job_name}/pause", named(name)));
export const requestResume = (name: string) => data(client.POST("/jobs/{job_name}/resume", named(name)));

export async function runJob(name: string): Promise<string> {
  const { run_id } = await requestRun(name);
  followRun(run_id);
  return run_id;
}

export async function pauseJob(name: string): Promise<void> {
  await requestPause(name);
  show(`Paused. “${name}” does not run until it is resumed.`);
}

export async function resumeJob(name: string): Promise<void> {
  await requestResume(name);
  show(`Resumed. “${name}” runs again at its next due time.`, "ok");
}

export async function restoreVersion(name: string, version: number, etag: string): Promise<void> {
  const params = { ...named(name).params, header: { "if-match": etag } };
  const job = await data(client.POST("/jobs/{job_name}/rollback", { params, body: { version } }));
  show(`Restored version ${version} of “${name}” as version ${job.version}.`, "ok");
}

export async function deleteJob(name: string, erase: boolean): Promise<void> {
  await data(client.DELETE("/jobs/{job_name}", { params: { path: { job_name: name }, query: { erase } } }));
  show(erase ? `Erased “${name}” and everything about it.` : `Deleted “${name}”. Its runs stay readable.`);
}

export async function cancelRun(runId: string): Promise<void> {
  await data(client.POST("/runs/{run_id}/cancel", ofRun(runId)));
  show("Cancelled. Nothing of this run is mailed.");
}

export async function resendRun(runId: string, recipients: string[]): Promise<void> {
  await data(client.POST("/runs/{run_id}/resend", { ...ofRun(runId), body: { recipients } }));
  show(
    recipients.length === 1
      ? `Sending it to ${recipients[0]} again.`
      : `Sending it to ${recipients.length} people again.`,
  );
}
