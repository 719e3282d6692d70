// The palette: pages, jobs, runs and what can be done to them, by a few letters (WAI-ARIA, combobox with a list).
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { ApiError, client, data, type JobSummary, listJobs, type Run } from "../api/client.ts";
import { NAVIGATION } from "../pages/index.ts";
import { pauseJob, resumeJob, runJob } from "../store/actions.ts";
import { palette, paletteText, type Subject } from "../store/palette.ts";
import { may, reasonAgainst } from "../store/session.ts";
import { show } from "../store/toast.ts";
import { moment } from "../words/format.ts";
import { STATES, stateOfRun } from "../words/status.ts";
import { refusal } from "./button.tsx";
import { calendarHref } from "./calendar-links.tsx";
import { Dialog } from "./dialog.tsx";
import { jobHref } from "./job-table.tsx";

const SHOWN_JOBS = 6;
const SHOWN_RUNS = 4;
/** Typing pauses this long before the API is asked. */
const PAUSE_MS = 150;
/** Fewer letters of an id name too many runs. */
const RUN_PREFIX = /^[0-9a-f][0-9a-f-]{5,35}$/i;

interface Item {
  word: string;
  detail?: string;
  /** Why it cannot be chosen. */
  unless?: string | undefined;
  act: () => unknown;
}

interface Found {
  /** What was asked for. Somebody types on while the API answers. */
  of: string;
  jobs: Pick<JobSummary, "job_name" | "status">[];
  runs: Run[];
  problem: string | null;
}

const NOTHING: Found = { of: "", jobs: [], runs: [], problem: null };

export function Palette() {
  const subject = palette.value;
  return subject === null ? null : <Open key={JSON.stringify(subject)} subject={subject} />;
}

function Open({ subject }: { subject: Subject }) {
  const { route } = useLocation();
  const text = paletteText.value;
  const [answered, setFound] = useState<Found>(NOTHING);
  const [isEntered, setEntered] = useState(false);
  const [at, setAt] = useState(0);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const isGeneral = subject.job === undefined;
  const wanted = isGeneral ? text.trim() : subject.job;
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(
      () => void search(wanted ?? "", isGeneral, stop.signal, setFound),
      isGeneral ? PAUSE_MS : 0,
    );
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [wanted]);
  // What was found for other letters is not offered: Enter would act on it.
  const isSearching = answered.of !== (wanted ?? "");
  const found = isSearching ? narrowed(answered, wanted ?? "") : answered;
  const close = () => {
    palette.value = null;
  };
  const go = (href: string) => () => route(href);
  const all = isGeneral
    ? [...pages(text, go), ...found.jobs.flatMap(jobItems(go, true)), ...found.runs.map(runItem(go))]
    : [];
  const ofRow = isGeneral ? [] : rowItems(subject, found.jobs, go).filter(matches(text));
  const items = [...all, ...ofRow];
  const chosen = items[Math.min(at, items.length - 1)];
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const act = (item: Item | undefined) => {
    if (item === undefined || item.unless !== undefined) return;
    close();
    void Promise.resolve(item.act()).catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
      show(refusal(error), "bad");
    });
  };
  // Enter that comes before the answer opens the first that it finds.
  useEffect(() => {
    if (isSearching || !isEntered) return;
    setEntered(false);
    act(items[0]);
  }, [isSearching, isEntered]);
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && items.length > 0) setAt((Math.min(at, items.length - 1) + step + items.length) % items.length);
    else if (event.key === "Enter" && chosen === undefined) setEntered(true);
    else if (event.key === "Enter") act(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={isGeneral ? "Search or run" : `Actions of ${subject.job}`} onClose={close}>
      <div class="palette">
        <input
          type="text"
          role="combobox"
          aria-label={isGeneral ? "A page, a job, or the begin of a run's id" : "An action"}
          placeholder={isGeneral ? "A page, a job, or the begin of a run's id" : "An action"}
          aria-expanded={items.length > 0}
          aria-controls={`${id}-list`}
          aria-activedescendant={chosen === undefined ? undefined : `${id}-${items.indexOf(chosen)}`}
          aria-autocomplete="list"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => {
            paletteText.value = event.currentTarget.value;
            setAt(0);
            setEntered(false);
          }}
          onKeyDown={onKey}
        />
        <div ref={list} id={`${id}-list`} role="listbox" aria-label="What it finds">
          {items.map((item, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys (aria-activedescendant)
            <div
              key={`${item.word} ${item.detail ?? ""}`}
              id={`${id}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={item === chosen}
              aria-disabled={item.unless !== undefined}
              onClick={() => act(item)}
            >
              <span>{item.word}</span>
              <span class="soft small">{item.unless ?? item.detail}</span>
            </div>
          ))}
        </div>
        <p class="small soft" role="status">
          {found.problem ?? (items.length === 0 && text !== "" && !isSearching ? "Nothing matches." : "")}
        </p>
      </div>
    </Dialog>
  );
}

/** Returns what of an answer also matches other letters. */
function narrowed({ jobs, runs }: Found, text: string): Found {
  const isAlike = (name: string) => name.toLowerCase().includes(text.toLowerCase());
  if (text === "") return NOTHING;
  return {
    ...NOTHING,
    jobs: jobs.filter(({ job_name }) => isAlike(job_name)),
    runs: runs.filter(({ run_id }) => run_id.startsWith(text.toLowerCase())),
  };
}

async function search(
  text: string,
  isGeneral: boolean,
  signal: AbortSignal,
  answer: (found: Found) => void,
): Promise<void> {
  if (text === "") return answer(NOTHING);
  try {
    if (!isGeneral) {
      const params = { path: { job_name: text } };
      const job = await data(client.GET("/jobs/{job_name}", { params, signal }));
      return answer({ ...NOTHING, of: text, jobs: [job] });
    }
    const [jobs, runs] = await Promise.all([
      listJobs({ q: text, limit: SHOWN_JOBS }, signal).then(({ items }) => items),
      RUN_PREFIX.test(text) ? runsOf(text.toLowerCase(), signal) : [],
    ]);
    answer({ of: text, jobs, runs, problem: null });
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof ApiError)) throw error;
    answer({
      ...NOTHING,
      of: text,
      problem: error.status === 404 ? "This job is not there any more." : refusal(error),
    });
  }
}

async function runsOf(id_prefix: string, signal: AbortSignal): Promise<Run[]> {
  const query = { id_prefix, limit: SHOWN_RUNS };
  return (await data(client.GET("/runs", { params: { query }, signal }))).items;
}

type Go = (href: string) => () => void;

function matches(text: string): (item: Item) => boolean {
  const words = text.toLowerCase().split(/\s+/);
  return ({ word }) => words.every((one) => word.toLowerCase().includes(one));
}

function pages(text: string, go: Go): Item[] {
  const all: Item[] = [
    ...NAVIGATION.map(({ href, word, key }) => ({ word, detail: `g ${key}`, act: go(href) })),
    { word: "Calendar", act: go(calendarHref(new Date().getFullYear())) },
    { word: "New report", act: go("/console/jobs/new") },
    { word: "System", act: go("/console/system") },
    { word: "Tokens", act: go("/console/system/tokens") },
  ];
  return all.filter(matches(text));
}

/** Opens a job; of the first one that is found, also what can be done to it. */
function jobItems(go: Go, opens: boolean): (job: Found["jobs"][number], index: number) => Item[] {
  return ({ job_name: name, status }, index) => {
    const unless = may("edit") ? undefined : reasonAgainst("edit");
    const open: Item = { word: name, detail: "open the job", act: go(jobHref(name)) };
    const actions: Item[] = [
      { word: `Run ${name}`, detail: "now", unless, act: () => runJob(name) },
      { word: `Edit ${name}`, unless, act: go(`${jobHref(name)}/edit`) },
      status === "paused"
        ? { word: `Resume ${name}`, unless, act: () => resumeJob(name) }
        : { word: `Pause ${name}`, unless, act: () => pauseJob(name) },
      { word: `Calendar of ${name}`, act: go(calendarHref(new Date().getFullYear(), { job: name })) },
    ];
    return [...(opens ? [open] : []), ...(index === 0 ? actions : [])];
  };
}

function runItem(go: Go): (run: Run) => Item {
  return (run) => ({
    word: `${run.job_name}, ${moment(run.scheduled_at)}`,
    detail: `${STATES[stateOfRun(run)].word}, run ${run.run_id.slice(0, 8)}`,
    act: go(`/console/runs/${run.run_id}`),
  });
}

function rowItems({ job, run }: Subject, jobs: Found["jobs"], go: Go): Item[] {
  const opened: Item[] = [
    ...(run === undefined ? [] : [{ word: "Open this run", act: go(`/console/runs/${run}`) }]),
    ...(job === undefined ? [] : [{ word: `Open ${job}`, act: go(jobHref(job)) }]),
  ];
  return [...opened, ...jobs.flatMap(jobItems(go, false))];
}
