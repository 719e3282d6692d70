// Where a new report begins: an example that runs at once, a file of this device, an empty page, or a draft that was kept.
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../../api/client.ts";
import { newDrafts } from "../../store/draft.ts";
import { may, me, reasonAgainst } from "../../store/session.ts";
import { moment } from "../../words/format.ts";
import { useGoOn } from "../go-on.ts";
import { Card, Page } from "../page.tsx";
import {
  draftOfJobFile,
  EMPTY_PAGE,
  type Example,
  fromFile,
  loadGallery,
  NOT_A_JOB,
  newHref,
  uploadFile,
} from "./begin.ts";
import { useNameTaken } from "./name-taken.tsx";

export function Gallery() {
  const [examples, setExamples] = useState<Example[]>([]);
  const [isMissing, setMissing] = useState(false);
  useEffect(
    () =>
      void loadGallery().then(
        (gallery) => setExamples(gallery.examples),
        () => setMissing(true),
      ),
    [],
  );
  const drafts = newDrafts(me.value?.name ?? "");
  return (
    <Page
      title="New report"
      above={<a href="/console/jobs">Jobs</a>}
      sentence={may("edit") ? "Start from an example, a file, or an empty page." : reasonAgainst("edit")}
    >
      {drafts.length === 0 ? null : (
        <Card title="Not saved yet">
          <ul class="list">
            {drafts.map(([from, draft]) => (
              <li key={from}>
                <a href={newHref(from)}>{draft.definition.job_name || "A report without a name"}</a>
                <span class="soft">changed {moment(new Date(draft.savedAt))}, kept in this browser</span>
              </li>
            ))}
          </ul>
        </Card>
      )}
      {isMissing ? (
        <p class="notice wait" role="alert">
          The examples were not loaded. Load the page again to see them.
        </p>
      ) : null}
      <ul class="gallery">
        <li class="card">
          <FromFile />
        </li>
        <li class="card">
          <a href={newHref(EMPTY_PAGE)}>Empty page</a>
          <p class="small soft">A web address, a database or an uploaded file, and a script of your own.</p>
        </li>
        {examples.map(({ name, report, job }) => (
          <li key={name} class="card">
            <a href={newHref(name)}>{capital(job.job_name)}</a>
            <p class="small soft">{report}</p>
          </li>
        ))}
      </ul>
    </Page>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A file that is dropped here, or chosen. */
function FromFile() {
  const goOn = useGoOn();
  const [over, setOver] = useState(false);
  const [words, setWords] = useState<string | null>(null);
  const [ask, question] = useNameTaken();
  const take = async (file: File | null | undefined) => {
    setOver(false);
    if (file == null || !may("edit")) return;
    setWords("Reading…");
    try {
      await goOn(async () => {
        const from = await draftOfJobFile(file);
        if (from !== null) return newHref(from);
        const stored = await uploadFile(file, ask);
        if (stored === null) setWords(null);
        return stored === null ? null : newHref(fromFile(stored.location ?? file.name));
      });
    } catch (error) {
      if (error instanceof ApiError) setWords(`Not uploaded: ${error.fields[0]?.detail ?? error.message}`);
      else if (error instanceof Error && error.name === NOT_A_JOB) setWords(`Not imported: ${error.message}.`);
      else throw error;
    }
  };
  return (
    <>
      <label
        class={`drop ${over ? "over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          void take(event.dataTransfer?.files[0]);
        }}
      >
        <span class="as-link">A CSV, Excel or JSON file, or a job in YAML</span>
        <span class="small soft" role="status">
          {words ?? "Drop it here, or choose it. Data is uploaded, and the report reads it; a job file fills the form."}
        </span>
        <input
          type="file"
          class="visually-hidden"
          disabled={!may("edit")}
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            // The same file can be chosen again after a cancelled upload.
            event.currentTarget.value = "";
            void take(file);
          }}
        />
      </label>
      {question}
    </>
  );
}
