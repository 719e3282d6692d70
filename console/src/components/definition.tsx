// What a job does, in words: its schedule, its data and how they are read, its limits, its mail.
import type { Job } from "../api/client.ts";
import { may } from "../store/session.ts";
import { definitionFacts, type Fact } from "../words/definition.ts";
import { momentInZone } from "../words/format.ts";
import { Button } from "./button.tsx";
import { downloadJob, fromJob, newHref } from "./edit/begin.ts";

export function DefinitionTab({ job }: { job: Job }) {
  const version: Fact = { term: "Version", words: `${job.version}, ${momentInZone(job.updated_at, job.timezone)}` };
  return (
    <>
      <dl class="facts">
        {[...definitionFacts(job), version].map(({ term, words, code }) => (
          <div key={term}>
            <dt class="soft">{term}</dt>
            <dd>
              {words}
              {code === undefined ? null : <pre class="soft">{code}</pre>}
            </dd>
          </div>
        ))}
      </dl>
      <div class="card-text actions">
        {may("edit") ? (
          <a class="button plain" href={newHref(fromJob(job.job_name))}>
            Duplicate
          </a>
        ) : null}
        <Button onAct={() => downloadJob(job)}>Download as YAML</Button>
      </div>
    </>
  );
}
