import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation, useRoute } from "preact-iso/router";
import { ApiError, client, data, type FieldError, type Job } from "../api/client.ts";
import { Button } from "../components/button.tsx";
import { beginWith } from "../components/edit/begin.ts";
import { Conflict } from "../components/edit/conflict.tsx";
import { errorsOf, Field } from "../components/edit/field.tsx";
import { Gallery } from "../components/edit/gallery.tsx";
import { MailPreview } from "../components/edit/mail-preview.tsx";
import { OptionsForm, RecipientsForm } from "../components/edit/report-form.tsx";
import { ScheduleForm } from "../components/edit/schedule-form.tsx";
import { ScriptField } from "../components/edit/script-field.tsx";
import { SendOnce } from "../components/edit/send-once.tsx";
import { SourceForm } from "../components/edit/source-form.tsx";
import { NOT_TRIED, type Tried, TryResult, type TryState, tryDraft } from "../components/edit/try-it.tsx";
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
  onDraftElsewhere,
  type Place,
  same,
} from "../store/draft.ts";
import { may, me, reasonAgainst } from "../store/session.ts";
import { show } from "../store/toast.ts";
import { clock, count } from "../words/format.ts";

/** From the last key to the try of a changed script: a person who types is not shown every half of a word as an error. */
const TRY_AFTER_MS = 600;

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

function Editor({ name, place, begin }: EditorProperties) {
  const user = me.value?.name ?? "";
  const [draft, setDraft] = useState<Draft | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const open = async (wanted: "kept" | "fresh") => {
    setProblem(null);
    const kept = wanted === "kept" ? keptDraft(user, place) : null;
    if (kept !== null) setDraft(kept);
    else await begin().then(setDraft, (error) => setProblem(error));
  };
  useEffect(() => void open("kept"), []);
  const title = name === null ? "New report" : `Edit ${name}`;
  if (draft === null) {
    return (
      <Page title={title} above={<a href="/console/jobs">Jobs</a>}>
        {problem === null ? null : <Failure error={problem} retry={() => void open("fresh")} hasData={false} />}
      </Page>
    );
  }
  const restart = () => {
    dropDraft(user, place);
    setDraft(null);
    void open("fresh");
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
  onRestart: () => void;
  /** Goes on with the draft of another tab. */
  onTake: (draft: Draft) => void;
}

function Form({ name, place, title, first, onRestart, onTake }: FormProperties) {
  const user = me.value?.name ?? "";
  const goOn = useGoOn();
  const [draft, setDraft] = useState(first);
  const [isKept, setKept] = useState(true);
  const [errors, setErrors] = useState<FieldError[]>([]);
  const [conflict, setConflict] = useState<Begun | null>(null);
  const [elsewhere, setElsewhere] = useState<Draft | null>(null);
  useEffect(() => onDraftElsewhere(user, place, setElsewhere), []);
  const { definition } = draft;
  // What is answered later than the next key changes the draft as it is by then.
  const latest = useRef(first);
  const isChanged = !same(definition, draft.base);
  const { state, tryNow, sendOnce } = useTry(definition, name === null);
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
    try {
      const { job, ...saved } = await store(name, wanted, etag);
      const { job_name, warnings } = job;
      const said = ["Saved.", warnings.map(({ detail }) => detail).join("; ")].join(" ").trim();
      setConflict(null);
      dropDraft(user, place);
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
      if (error.status === 412 && name !== null) setConflict(await load(name));
      else if (error.fields.length > 0) {
        setErrors(error.fields);
        show(`Not saved: ${count(error.fields.length, "field")} must be changed.`, "bad");
      } else throw error;
      return null;
    }
  };
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
          <Button
            kind="primary"
            need="edit"
            onAct={() => saveAndGoOn(definition, draft.etag)}
            unless={isChanged ? undefined : "Nothing is changed."}
          >
            Save
          </Button>
          {isChanged && draft.savedAt > 0 ? <Button onAct={onRestart}>Drop changes</Button> : null}
        </>
      }
    >
      {elsewhere === null ? null : (
        <div class="notice wait" role="alert">
          <p>Another tab changes this draft, too. The browser keeps the one that was changed last.</p>
          <button type="button" class="button plain" onClick={() => onTake(elsewhere)}>
            Go on with that one
          </button>
        </div>
      )}
      {conflict === null || draft.base === null ? null : (
        <Conflict
          key={conflict.version}
          base={draft.base}
          mine={definition}
          theirs={conflict.job}
          onMerged={(merged) => saveAndGoOn(merged, conflict.etag)}
          onTakeTheirs={onRestart}
        />
      )}
      <div class="columns edit">
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
              columns={state.good?.columns ?? []}
              error={shownError}
              readOnly={readOnly}
            />
            {editError === undefined ? null : <p class="card-text bad small">{editError.detail}</p>}
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

/** The input of a try, which the API keeps for an hour. */
interface Sample {
  id: string;
  of: unknown;
}

function sourcesOf({ data_source, more_sources, timezone }: Definition): unknown {
  return [data_source, more_sources, timezone];
}

/** What is tried again by itself when it changes. */
function textsOf({ processing_script, subject, message, description }: Definition): unknown {
  return [processing_script, subject, message, description];
}

/**
 * Tries a draft: on request with fresh data, and after each change of the script on the sample of the last try, so that
 * typing asks no source again.
 */
function useTry(definition: Definition, isNew: boolean) {
  const [state, setState] = useState<TryState>(NOT_TRIED);
  const request = useRef(new AbortController());
  const sample = useRef<Sample | null>(null);
  const pending = useRef(0);
  /** A try that fetches the data, or sends a mail, goes on to its end when the script is changed; then follows another. */
  const goesOn = useRef(false);
  const latest = useRef(definition);
  latest.current = definition;
  const keptSample = () => {
    const kept = sample.current;
    return kept !== null && same(kept.of, sourcesOf(latest.current)) ? kept : null;
  };
  const tryOn = async (wanted: Sample | null, sendTo: string | null = null): Promise<Tried | null> => {
    clearTimeout(pending.current);
    request.current.abort();
    const mine = new AbortController();
    request.current = mine;
    goesOn.current = wanted === null || sendTo !== null;
    setState((before) => ({ ...before, running: true, problem: null }));
    const tried = latest.current;
    try {
      const last = await tryDraft(tried, wanted?.id ?? null, sendTo, mine.signal);
      if (mine.signal.aborted) return null;
      if (wanted !== null && last.error?.stage === "fetch") return tryOn(null, sendTo); // it has expired
      sample.current = last.sample_id === null ? null : { id: last.sample_id, of: sourcesOf(tried) };
      setState((before) => ({ running: false, last, good: last.columns === null ? before.good : last, problem: null }));
      return last;
    } catch (error) {
      if (mine.signal.aborted) return null;
      if (!(error instanceof ApiError)) throw error;
      const refused = sendTo !== null && error.fields[0]?.field === "send_to";
      setState((before) =>
        refused
          ? { ...before, running: false }
          : { ...before, running: false, last: asError(error) ?? before.last, problem: error },
      );
      if (sendTo !== null) throw error;
      return null;
    } finally {
      if (request.current === mine) {
        goesOn.current = false;
        if (!same(textsOf(tried), textsOf(latest.current))) announce();
      }
    }
  };
  const announce = () => {
    clearTimeout(pending.current);
    if (goesOn.current || keptSample() === null) return;
    pending.current = window.setTimeout(() => {
      const kept = keptSample();
      if (kept !== null && !goesOn.current) void tryOn(kept);
    }, TRY_AFTER_MS);
  };
  const tryNow = async () => void (await tryOn(null));
  const sendOnce = (address: string) => tryOn(keptSample(), address);
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) announce();
    isFirst.current = false;
  }, [JSON.stringify(textsOf(definition))]);
  useEffect(() => {
    // A new report that begins with an example or a file shows at once what comes out.
    if (isNew && definition.data_source.source_type === "file" && definition.data_source.location !== "") void tryNow();
    return () => {
      clearTimeout(pending.current);
      request.current.abort();
    };
  }, []);
  return { state, tryNow, sendOnce };
}

/** Returns a refused script or source as the outcome of a try. */
function asError(error: ApiError): TryState["last"] {
  const [first] = error.fields;
  if (first === undefined) return null;
  const stage = first.field === "processing_script" ? "script" : "fetch";
  const line = lineOf(first)?.line ?? null;
  const found = { stage, type: "", message: `${first.field}: ${first.detail}`, traceback: null, line };
  return {
    columns: null,
    rows: null,
    first_rows: null,
    figures: [],
    notes: [],
    skipped: null,
    log: "",
    timings: null,
    error: found,
    mail: null,
    sent: null,
    sample_id: null,
  } as Tried;
}

/** Returns the line that an error of the field `processing_script` names. */
function lineOf(error: FieldError | undefined): { line: number; message: string } | undefined {
  const line = error?.detail.match(/^line (\d+): /)?.[1];
  return error === undefined || line === undefined ? undefined : { line: Number(line), message: error.detail };
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
  const others = errors.filter((error) => !shown.has(error));
  if (others.length === 0) return null;
  return (
    <ul class="notice bad" role="alert">
      {others.map((error) => (
        <li key={error.field}>
          <strong>{error.field}</strong>: {error.detail}
        </li>
      ))}
    </ul>
  );
}
