import { useEffect, useState } from "preact/hooks";
import { ApiError, client, data, type Job, type Schemas } from "../api/client.ts";
import { restoreVersion } from "../store/actions.ts";
import { ANSWER_FIELDS, same } from "../store/draft.ts";
import { useResource } from "../store/resource.ts";
import { Button } from "./button.tsx";
import { type Change, Changes } from "./changes.tsx";
import { Dialog } from "./dialog.tsx";
import { Loaded } from "./states.tsx";

type Definition = Schemas["Job"];

interface Comparison {
  current: Job;
  etag: string;
  changes: Change[];
}

/** Compares a version with the job as it is now, and restores it as a new version. */
export function Restore({ jobName, version, onClose }: { jobName: string; version: number; onClose: () => void }) {
  const path = { job_name: jobName };
  const compared = useResource<Comparison>(`restore ${jobName} ${version}`, async (signal) => {
    let etag = "";
    const answer = client.GET("/jobs/{job_name}", { params: { path }, signal }).then((found) => {
      etag = found.response.headers.get("etag") ?? "";
      return found;
    });
    const versioned = { ...path, version };
    const [current, { job }] = await Promise.all([
      data(answer),
      data(client.GET("/jobs/{job_name}/versions/{version}", { params: { path: versioned }, signal })),
    ]);
    return { current, etag, changes: differences(current, job) };
  });
  const [conflict, setConflict] = useState(false);
  // A comparison is old when the dialog opens again.
  useEffect(() => {
    return () => {
      compared.data.value = undefined;
    };
  }, [compared]);
  const restore = async ({ etag }: Comparison) => {
    try {
      await restoreVersion(jobName, version, etag);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 412) throw error;
      setConflict(true);
      compared.reload();
      return;
    }
    onClose();
  };
  const found = compared.data.value;
  return (
    <Dialog title={`Restore version ${version}?`} onClose={onClose}>
      {conflict ? (
        <p class="notice wait" role="alert">
          Somebody changed the job in the meantime. This compares with the job as it is now; nothing is restored yet.
        </p>
      ) : null}
      <Loaded of={compared}>
        {({ changes, current }) =>
          changes.length === 0 ? (
            <p>The job is as it was in version {version}.</p>
          ) : (
            <>
              <p>
                It becomes version {current.version + 1}. Version {current.version} stays in this list. This changes:
              </p>
              <Changes changes={changes} />
            </>
          )
        }
      </Loaded>
      <div class="dialog-actions">
        <button type="button" class="button plain" onClick={onClose}>
          Leave it
        </button>
        <Button
          kind="primary"
          need="edit"
          unless={found === undefined || found.changes.length === 0 ? "There is nothing to restore." : undefined}
          onAct={() => found && restore(found)}
        >
          Restore
        </Button>
      </div>
    </Dialog>
  );
}

/** Returns the fields that differ between a job and another version of it. */
export function differences(current: Definition, earlier: Definition): Change[] {
  const before = current as Record<string, unknown>;
  const after = earlier as Record<string, unknown>;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((field) => !ANSWER_FIELDS.has(field) && !same(before[field], after[field]))
    .map((field) => ({ field, before: before[field], after: after[field] }));
}
