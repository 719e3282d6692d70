import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation, useRoute } from "preact-iso/router";
import { ApiError, client, data, type FieldError, type Job } from "../api/client.ts";
import { Button } from "../components/button.tsx";
import { beginWith } from "../components/edit/begin.ts";
import { Conflict } from "../components/edit/conflict.tsx";
import { DraftNotices } from "../components/edit/draft-notices.tsx";
import { errorsOf, Field, FieldErrors } from "../components/edit/field.tsx";
import { Gallery } from "../components/edit/gallery.tsx";
import { MailPreview } from "../components/edit/mail-preview.tsx";
import { OptionsForm, RecipientsForm } from "../components/edit/report-form.tsx";
import { ScheduleForm } from "../components/edit/schedule-form.tsx";
import { ScriptField } from "../components/edit/script-field.tsx";
import { SendOnce } from "../components/edit/send-once.tsx";
import { SourceForm } from "../components/edit/source-form.tsx";
import { DataWords, TryResult } from "../components/edit/try-it.tsx";
import { lineOf, useTry } from "../components/edit/use-try.ts";
import { useGoOn } from "../components/go-on.ts";
import { jobHref } from "../components/job-table.tsx";
import { Card, Page } from "../components/page.tsx";
import { Failure } from "../components/states.tsx";
import {
  type Definition,
  type Draft,
  definitionOf,
  dropDraft,
  keepDraft,
  keptDraft,
  merge,
  newPlace,
  type Place,
  same,
} from "../store/draft.ts";
import { may, me, reasonAgainst } from "../store/session.ts";
import { offer, show } from "../store/toast.ts";
import { clock, count } from "../words/format.ts";

/** A new report begins with what the address names after `from=`; without, the gallery offers what there is. */
export function NewPage() {
  const { query } = useLocation();
  const { from } = query;
  return from === undefined ? (
    <Gallery />
  ) : (
    <Editor key={from} name={null} place={newPlace(from)} begin={() => beginWith(from)} />
  );
}

export function EditPage() {
  const { params } = useRoute();
  const name = params.name ?? "";
  return <Editor key={name} name={name} place={name} begin={() => load(name)} />;
}

/** A job as the API answered it, and the draft that begins with it. */
interface Begun extends Draft {
  job: Job;
}

async function load(name: string): Promise<Begun> {
  return begun(client.GET("/jobs/{job_name}", { params: { path: { job_name: name } } }));
}

/** What somebody else saved while a draft was edited, and who that was. */
interface Conflicting extends Begun {
  by: string;
}

async function loadTheirs(name: string): Promise<Conflicting> {
  const theirs = await load(name);
  const params = { path: { job_name: name }, query: { limit: 1 } };
  const { items } = await data(client.GET("/jobs/{job_name}/versions", { params }));
  const newest = items.find(({ version }) => version === theirs.version);
  return { ...theirs, by: newest?.actor ?? "Somebody" };
}

async function begun(answer: Promise<{ data?: unknown; error?: unknown; response: Response }>): Promise<Begun> {
  const job = (await data(answer)) as Job;
  const etag = (await answer).response.headers.get("ETag");
  const definition = definitionOf(job);
  return { job, definition, base: definition, etag, version: job.version, savedAt: 0 };
}

interface EditorProperties {
  /** The job; null: a new one. */
  name: string | null;
  place: Place;
  begin: () => Promise<Draft>;
}

/** The editor that is on the page, by its draft's place: a dropped draft may return to another one than it began in. */
const editors = new Map<Place, (draft: Draft) => void>();

function Editor({ name, place, begin }: EditorProperties) {
  const user = me.value?.name ?? "";
  const [draft, setDraft] = useState<Draft | null>(null);
  const { route } = useLocation();
  const address = useRef(location.pathname + location.search).current;
  const [problem, setProblem] = useState<ApiError | null>(null);
  const open = async (wanted: "kept" | "fresh") => {
    setProblem(null);
    const kept = wanted === "kept" ? keptDraft(user, place) : null;
    if (kept !== null) setDraft(kept);
    else
      await begin().then(
        (fresh) => setDraft((before) => before ?? fresh), // Undo may come first
        (error) => setProblem(error),
      );
  };
  useEffect(() => {
    editors.set(place, setDraft);
    void open("kept");
    return () => void editors.delete(place);
  }, []);
  // What is changed between the drop and its undo is not lost either: the two change places.
  const offerUndo = (dropped: Draft) =>
    offer("The changes are dropped.", {
      word: "Undo",
      act: () => {
        const replaced = keptDraft(user, place);
        keepDraft(user, place, dropped);
        const take = editors.get(place);
        if (take === undefined) route(address);
        else take(dropped);
        if (replaced !== null) offerUndo(replaced);
      },
    });
  const title = name === null ? "New report" : `Edit ${name}`;
  if (draft === null) {
    return (
      <Page title={title} above={<a href="/console/jobs">Jobs</a>}>
        {problem === null ? null : <Failure error={problem} retry={() => void open("fresh")} />}
      </Page>
    );
  }
  const restart = (dropped: Draft) => {
    dropDraft(user, place, dropped);
    setDraft(null);
    void open("fresh");
    offerUndo(dropped);
  };
  return (
    <Form
      key={`${draft.etag} ${draft.savedAt}`}
      {...{ name, place, title }}
      first={draft}
      onRestart={restart}
      onTake={setDraft}
    />
  );
}

interface FormProperties {
  name: string | null;
  place: Place;
  title: string;
  first: Draft;
  /** Drops the draft, and begins again with what is saved. */
  onRestart: (dropped: Draft) => void;
  /** Goes on with the draft of another tab. */
  onTake: (draft: Draft) => void;
}

function Form({ name, place, title, first, onRestart, onTake }: FormProperties) {
  const user = me.value?.name ?? "";
  const goOn = useGoOn();
  const [draft, setDraft] = useState(first);
  const [isKept, setKept] = useState(true);
  const [errors, setErrors] = useState<FieldError[]>([]);
  const [conflict, setConflict] = useState<Conflicting | null>(null);
  const { definition } = draft;
  // What is answered later than the next key changes the draft as it is by then.
  const latest = useRef(first);
  const isSaving = useRef(false);
  const isChanged = !same(definition, draft.base);
  const { state, facts, tryNow, sendOnce } = useTry(definition, name === null);
  const keep = (next: Draft) => {
    latest.current = next;
    setDraft(next);
    setKept(keepDraft(user, place, next));
  };
  const change = (fields: Partial<Definition>) =>
    keep({ ...latest.current, definition: { ...latest.current.definition, ...fields }, savedAt: Date.now() });
  const save = async (wanted: Definition, etag: string | null) => {
    setErrors([]);
    const before = latest.current.definition;
    isSaving.current = true;
    try {
      const { job, ...saved } = await store(name, wanted, etag);
      const { job_name, warnings } = job;
      const said = ["Saved.", warnings.map(({ detail }) => detail).join("; ")].join(" ").trim();
      setConflict(null);
      dropDraft(user, place, latest.current);
      if (same(latest.current.definition, before)) {
        show(said, "ok");
        return jobHref(job_name);
      }
      // Somebody who types while it is saved goes on with what is not.
      const { merged } = merge(before, latest.current.definition, saved.definition);
      const rest = { ...saved, definition: { ...merged, job_name }, savedAt: Date.now() };
      if (name === null) keepDraft(user, job_name, rest);
      else keep(rest);
      show(`${said} What you changed since is not: it is a draft.`);
      return `${jobHref(job_name)}/edit`;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 412 && name !== null) setConflict(await loadTheirs(name));
      else if (error.fields.length > 0) {
        setErrors(error.fields);
        show(`Not saved: ${count(error.fields.length, "field")} must be changed.`, "bad");
      } else throw error;
      return null;
    } finally {
      isSaving.current = false;
    }
  };
  const form = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (errors.length === 0) return;
    const first = form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [role="alert"]');
    first?.closest("details")?.setAttribute("open", "");
    first?.focus();
    first?.scrollIntoView({ block: "center" });
  }, [errors]);
  const restart = () => onRestart(latest.current);
  const saveAndGoOn = (wanted: Definition, etag: string | null) => goOn(() => save(wanted, etag));
  const scriptError = state.last?.error?.stage === "script" ? state.last.error : null;
  const editError = errors.find(({ field }) => field === "processing_script");
  const shownError =
    scriptError?.line == null ? lineOf(editError) : { line: scriptError.line, message: scriptError.message };
  const readOnly = !may("edit");
  return (
    <Page
      title={title}
      above={name === null ? <a href="/console/jobs">Jobs</a> : <a href={jobHref(name)}>{name}</a>}
      sentence={<Kept draft={draft} isChanged={isChanged} isKept={isKept} readOnly={readOnly} />}
      actions={
        <>
          <Button need="edit" onAct={tryNow}>
            Try
          </Button>
          <span data-key="Ctrl s">
            <Button
              kind="primary"
              need="edit"
              onAct={() => saveAndGoOn(latest.current.definition, latest.current.etag)}
              unless={isChanged ? undefined : "Nothing is changed."}
            >
              Save
            </Button>
          </span>
          {isChanged && draft.savedAt > 0 ? <Button onAct={restart}>Drop changes</Button> : null}
        </>
      }
    >
      <DraftNotices
        {...{ user, place, name, draft, latest, isSaving, onTake }}
        isMerging={conflict !== null}
        onKept={setKept}
      />
      {conflict === null || draft.base === null ? null : (
        <Conflict
          key={conflict.version}
          base={draft.base}
          mine={definition}
          theirs={conflict.job}
          by={conflict.by}
          onMerged={(merged) => saveAndGoOn(merged, conflict.etag)}
          onTakeTheirs={restart}
        />
      )}
      <div class="columns edit" ref={form}>
        <fieldset class="stack" disabled={readOnly}>
          <legend class="visually-hidden">The report</legend>
          <Card>
            {name === null ? (
              <div class="form">
                <Field label="Name" errors={errorsOf(errors, "job_name")}>
                  {(attributes) => (
                    <input
                      {...attributes}
                      value={definition.job_name}
                      onInput={(event) => change({ job_name: event.currentTarget.value })}
                    />
                  )}
                </Field>
              </div>
            ) : null}
            <SourceForm
              source={definition.data_source}
              errors={errors}
              onChange={(changed) => change({ data_source: changed(latest.current.definition.data_source) })}
            />
          </Card>
          <Card
            title="Script"
            aside={
              <span class="soft">
                <code>data</code> has the rows; return a DataFrame
              </span>
            }
          >
            <ScriptField
              text={definition.processing_script}
              onChange={(processing_script) => change({ processing_script })}
              columns={facts?.columns ?? state.good?.columns ?? []}
              error={shownError}
              readOnly={readOnly}
            />
            {/* Below the script: they come while somebody types, and must not move it. */}
            <DataWords facts={facts} />
            {editError === undefined ? null : (
              <p class="card-text bad small" role="alert">
                {editError.detail}
              </p>
            )}
          </Card>
          <Card title="When">
            <ScheduleForm definition={definition} errors={errors} onChange={change} />
          </Card>
          <Card title="Who">
            <RecipientsForm definition={definition} errors={errors} onChange={change} />
            <SendOnce send={sendOnce} />
          </Card>
          <Card>
            <details class="options">
              <summary>Options</summary>
              <OptionsForm definition={definition} errors={errors} onChange={change} />
            </details>
          </Card>
          <OtherErrors errors={errors} />
        </fieldset>
        <div class="stack sticky">
          <Card title="Result" aside={state.running ? "Trying…" : null}>
            <TryResult state={state} retry={tryNow} />
          </Card>
          {state.good?.mail == null ? null : <MailPreview mail={state.good.mail} isOld={state.last?.error != null} />}
        </div>
      </div>
    </Page>
  );
}

async function store(name: string | null, wanted: Definition, etag: string | null): Promise<Begun> {
  if (name === null) return begun(client.POST("/jobs", { body: wanted }));
  const params = { path: { job_name: name }, ...(etag === null ? {} : { header: { "If-Match": etag } }) };
  return begun(client.PUT("/jobs/{job_name}", { params, body: wanted } as never));
}

interface KeptProperties {
  draft: Draft;
  isChanged: boolean;
  isKept: boolean;
  readOnly: boolean;
}

function Kept({ draft, isChanged, isKept, readOnly }: KeptProperties) {
  if (readOnly) return <>{reasonAgainst("edit")}</>;
  if (!isChanged) return <>{draft.version === null ? "Not saved yet." : `Version ${draft.version}, unchanged.`}</>;
  if (draft.version === null && draft.savedAt === 0) return <>Not saved yet.</>;
  if (!isKept) {
    return (
      <>
        <span class="wait">Not saved.</span> This browser keeps no draft, because its storage is full or switched off:
        save before you leave.
      </>
    );
  }
  return (
    <>
      <span class="wait">Not saved.</span> The draft is kept in this browser
      {draft.savedAt === 0 ? "" : ` since ${clock(new Date(draft.savedAt))}`}.
    </>
  );
}

const SHOWN_BESIDE = [
  "job_name",
  "data_source",
  "processing_script",
  "schedule_time",
  "schedules",
  "timezone",
  "consumer_emails",
  "subject",
  "description",
  "message",
  "retries",
  "when_empty",
  "when_unchanged",
  "on_missed",
  "overlap",
];

/** Errors of fields that this form does not show. */
function OtherErrors({ errors }: { errors: FieldError[] }) {
  const shown = new Set(SHOWN_BESIDE.flatMap((field) => errorsOf(errors, field)));
  return <FieldErrors errors={errors.filter((error) => !shown.has(error))} />;
}
