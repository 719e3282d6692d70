// The tries of a draft, while it is edited.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, type FieldError } from "../../api/client.ts";
import { type Definition, same } from "../../store/draft.ts";
import { type DataFacts, describeData, NOT_TRIED, type Tried, type TryState, tryDraft } from "./try-it.tsx";

/** From the last key to the try of a changed script: a person who types is not shown every half of a word as an error. */
const TRY_AFTER_MS = 600;

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
export function useTry(definition: Definition, isNew: boolean) {
  const [state, setState] = useState<TryState>(NOT_TRIED);
  const [described, setDescribed] = useState<{ of: unknown; facts: DataFacts } | null>(null);
  const request = useRef(new AbortController());
  const page = useRef(new AbortController());
  /** Who only looks at a page asks no more than it needs; who tries or writes a script needs the names of the columns. */
  const isWanted = useRef(false);
  const describedSample = useRef<string | null>(null);
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
      if (isWanted.current) void describe(tried, sample.current);
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
  const describe = async (tried: Definition, of: Sample | null) => {
    if (of === null || of.id === describedSample.current) return;
    describedSample.current = of.id;
    // It is only a help: without an answer the next fetched sample is described.
    const facts = await describeData(tried, of.id, page.current.signal).catch(() => null);
    if (facts !== null) setDescribed({ of: of.of, facts });
  };
  const announce = () => {
    clearTimeout(pending.current);
    isWanted.current = true;
    if (goesOn.current || keptSample() === null) return;
    pending.current = window.setTimeout(() => {
      const kept = keptSample();
      if (kept !== null && !goesOn.current) void tryOn(kept);
    }, TRY_AFTER_MS);
  };
  const tryNow = async () => {
    isWanted.current = true;
    await tryOn(null);
  };
  const sendOnce = (address: string) => tryOn(keptSample(), address);
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) announce();
    isFirst.current = false;
  }, [JSON.stringify(textsOf(definition))]);
  useEffect(() => {
    // A new report that begins with an example or a file shows at once what comes out.
    if (isNew && definition.data_source.source_type === "file" && definition.data_source.location !== "")
      void tryOn(null);
    return () => {
      clearTimeout(pending.current);
      request.current.abort();
      page.current.abort();
    };
  }, []);
  const facts = described !== null && same(described.of, sourcesOf(definition)) ? described.facts : null;
  return { state, facts, tryNow, sendOnce };
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
    text_columns: null,
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
export function lineOf(error: FieldError | undefined): { line: number; message: string } | undefined {
  const line = error?.detail.match(/^line (\d+): /)?.[1];
  return error === undefined || line === undefined ? undefined : { line: Number(line), message: error.detail };
}
