import { client, data, type Version } from "../api/client.ts";
import { useResource } from "../store/resource.ts";
import { moment } from "../words/format.ts";
import { Empty, Loaded } from "./states.tsx";

/** The versions of a job: who changed what. */
export function Versions({ jobName }: { jobName: string }) {
  const versions = useResource(
    `versions ${jobName}`,
    async (signal) => {
      const params = { path: { job_name: jobName }, query: { limit: 50 } };
      return (await data(client.GET("/jobs/{job_name}/versions", { params, signal }))).items;
    },
    { touches: (event) => event.job_name === jobName && event.type.startsWith("job-") },
  );
  return (
    <Loaded of={versions}>
      {(items) =>
        items.length === 0 ? (
          <Empty title="No versions." />
        ) : (
          <ol class="list">
            {items.map((version) => (
              <li key={version.version}>
                <div class="grow">
                  <strong>v{version.version}</strong> {version.actor} <span class="soft">{moment(version.time)}</span>
                  {version.rolled_back_to === null ? null : (
                    <span class="soft"> · back to v{version.rolled_back_to}</span>
                  )}
                  <ul class="changes small">
                    {version.changes.map((change) => (
                      <li key={change.field}>{describe(change)}</li>
                    ))}
                  </ul>
                </div>
              </li>
            ))}
          </ol>
        )
      }
    </Loaded>
  );
}

function describe({ field, before, after }: Version["changes"][number]) {
  if (field === "processing_script") {
    const old = new Set(String(before ?? "").split("\n"));
    const fresh = new Set(String(after ?? "").split("\n"));
    const added = [...fresh].filter((line) => !old.has(line)).length;
    const gone = [...old].filter((line) => !fresh.has(line)).length;
    return (
      <>
        script <span class="ok">+{added}</span> <span class="bad">−{gone}</span>
      </>
    );
  }
  return (
    <>
      {field.replaceAll("_", " ")}: <span class="soft">{shown(before)}</span> → {shown(after)}
    </>
  );
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
