// What differs between two versions of a job, which the address names as `versions/1..3`.
import { useRoute } from "preact-iso/router";
import { client, data, type Schemas } from "../api/client.ts";
import { Changes } from "../components/changes.tsx";
import { jobHref } from "../components/job-table.tsx";
import { Card, Page } from "../components/page.tsx";
import { differences } from "../components/restore.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { useResource } from "../store/resource.ts";
import { momentHere } from "../words/format.ts";

type Version = Schemas["VersionWithJob"];

export function VersionsPage() {
  const { params } = useRoute();
  const name = params.name ?? "";
  const [, before, after] = params.range?.match(/^(\d+)\.\.(\d+)$/) ?? [];
  if (before !== undefined && after !== undefined) {
    return <TwoVersions key={`${name} ${params.range}`} name={name} before={Number(before)} after={Number(after)} />;
  }
  return (
    <Page title="Versions" above={<a href={jobHref(name)}>{name}</a>}>
      <Card>
        <Empty title="This address names no two versions.">
          Two versions have two dots between them, such as 1..2. The{" "}
          <a href={`${jobHref(name)}#versions`}>versions of {name}</a> are on its page.
        </Empty>
      </Card>
    </Page>
  );
}

function TwoVersions({ name, before, after }: { name: string; before: number; after: number }) {
  const versions = useResource<[Version, Version]>(`versions ${before} and ${after} of ${name}`, (signal) =>
    Promise.all([load(name, before, signal), load(name, after, signal)]),
  );
  return (
    <Page
      title={`Versions ${before} and ${after}`}
      above={
        <>
          <a href="/console/jobs">Jobs</a> / <a href={jobHref(name)}>{name}</a>
        </>
      }
    >
      <Loaded of={versions}>{(pair) => <Differences before={pair[0]} after={pair[1]} />}</Loaded>
    </Page>
  );
}

async function load(job_name: string, version: number, signal: AbortSignal): Promise<Version> {
  const params = { path: { job_name, version } };
  return data(client.GET("/jobs/{job_name}/versions/{version}", { params, signal }));
}

function Differences({ before, after }: { before: Version; after: Version }) {
  const changes = differences(before.job, after.job);
  return (
    <Card>
      <dl class="facts">
        {[before, after].map(({ version, actor, time }, index) => (
          <div key={index}>
            <dt class="soft">Version {version}</dt>
            <dd>
              {actor}, {momentHere(time)}
            </dd>
          </div>
        ))}
      </dl>
      <div class="card-text">{changes.length === 0 ? "No field differs." : <Changes changes={changes} open />}</div>
    </Card>
  );
}
