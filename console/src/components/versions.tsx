import { useState } from "preact/hooks";
import { client, data } from "../api/client.ts";
import { useResource } from "../store/resource.ts";
import { momentHere } from "../words/format.ts";
import { Button } from "./button.tsx";
import { Changes } from "./changes.tsx";
import { Restore } from "./restore.tsx";
import { Empty, Loaded } from "./states.tsx";

/** The versions of a job: who changed what, and the way back to an earlier one. */
export function Versions({ jobName }: { jobName: string }) {
  const [restoring, setRestoring] = useState<number | null>(null);
  const versions = useResource(
    `versions ${jobName}`,
    async (signal) => {
      const params = { path: { job_name: jobName }, query: { limit: 50 } };
      return (await data(client.GET("/jobs/{job_name}/versions", { params, signal }))).items;
    },
    { touches: (event) => event.job_name === jobName && event.type.startsWith("job-") },
  );
  return (
    <>
      <Loaded of={versions}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="No versions." />
          ) : (
            <ol class="list">
              {items.map((version, index) => (
                <li key={version.version}>
                  <div class="grow">
                    <strong>v{version.version}</strong> {version.actor}{" "}
                    <span class="soft">{momentHere(version.time)}</span>
                    {version.rolled_back_to === null ? null : (
                      <span class="soft"> · back to v{version.rolled_back_to}</span>
                    )}
                    <Changes changes={version.changes} />
                  </div>
                  {index === 0 ? (
                    <span class="soft small">current</span>
                  ) : (
                    <Button
                      need="edit"
                      label={`Restore version ${version.version}…`}
                      onAct={() => setRestoring(version.version)}
                    >
                      Restore…
                    </Button>
                  )}
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
      {restoring === null ? null : <Restore jobName={jobName} version={restoring} onClose={() => setRestoring(null)} />}
    </>
  );
}
