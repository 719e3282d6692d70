// The event stream: one connection per browser, whatever the number of tabs.
//
// The tab that holds a Web Lock reads the stream and passes each event to the others over a BroadcastChannel. When it goes, another
// tab gets the lock and reads on behind the last event that it knows, so no event is lost. Every tab hands events to its pages in
// batches, at most one a frame.
import { signal } from "@preact/signals";
import { client, type FieldError, type Schemas } from "../api/client.ts";

export type LogEvent = Schemas["EventItem"];

export type Connection =
  | { state: "connecting" }
  | { state: "live"; since: number }
  | { state: "lost"; since: number; retryAt: number };

export const connection = signal<Connection>({ state: "connecting" });
/** How many events the last reconnection brought, for the line "Back. 12 events caught up." */
export const caughtUp = signal<number | null>(null);

/** Larger than the longest pause of a broker's restart would need; short enough that a person waits for it. */
const MAX_RETRY_MS = 10_000;
/** A tab that nobody looks at gives its connection back after this time. */
const HIDDEN_MS = 5 * 60_000;
/** Without an event or a heartbeat, which comes every 10 s, for this time the API or the log has stopped. */
const SILENCE_MS = 25_000;
/** Events that arrive within this time after a reconnection count as caught up. */
const CATCH_UP_MS = 1_000;
/** How long the page says so. */
const ANNOUNCE_MS = 10_000;
/** Those of a run that was asked for just now are among them. An event may have a script of 128 KiB. */
const RECENT_EVENTS = 100;

/** An answer that has the event of this sequence: another replica of the API may be behind the one that streams. */
const AFTER_HEADER = "X-Nightmail-After";

type Message = { events: LogEvent[] } | { connection: Connection } | { ask: true };
type Listener = (events: LogEvent[]) => void;

const listeners = new Set<Listener>();
const channel = new BroadcastChannel("nightmail-events");
let queue: LogEvent[] = [];
let recent: LogEvent[] = [];
let frame = 0;
let lastSeq = 0;
let leading = false;

client.use({
  onRequest: ({ request }) => {
    if (request.method === "GET" && lastSeq > 0) request.headers.set(AFTER_HEADER, String(lastSeq));
  },
  onResponse: async ({ request, response }) => {
    if (response.status !== 400 || !request.headers.has(AFTER_HEADER)) return;
    // A proxy may answer, too, and not in JSON.
    if (response.headers.get("content-type") !== "application/problem+json") return;
    const { errors } = (await response.clone().json()) as { errors?: FieldError[] };
    // The log was restored from a backup: it does not have what the pages show.
    if (errors?.some(({ field }) => field === AFTER_HEADER)) location.reload();
  },
});

/** Returns the last events that the pages got. */
export function recentEvents(): LogEvent[] {
  return recent;
}

/** Calls back with each batch of events; returns the function that stops it. */
export function onEvents(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Returns what `load` answers, with the events that arrived in the meantime: the answer may have been written before them. Those
 * that arrived earlier are in it, because the API streams only what its answers contain. To fold an event twice changes nothing.
 */
export async function loadWithEvents<T>(
  load: () => Promise<T>,
  fold: ((data: T, event: LogEvent) => T) | undefined,
): Promise<T> {
  const arrived: LogEvent[] = [];
  const stop = onEvents((events) => arrived.push(...events));
  try {
    const loaded = await load();
    return fold === undefined ? loaded : arrived.reduce(fold, loaded);
  } finally {
    stop();
  }
}

channel.onmessage = ({ data }: MessageEvent<Message>) => {
  if ("events" in data) take(data.events);
  else if ("connection" in data) connection.value = data.connection;
  else if (leading) channel.postMessage({ connection: connection.value } satisfies Message);
};

function take(events: LogEvent[]): void {
  for (const event of events) {
    if (event.seq <= lastSeq) continue;
    lastSeq = event.seq;
    queue.push(event);
  }
  // A hidden tab paints no frame.
  if (frame === 0) frame = document.hidden ? window.setTimeout(flush, 500) : requestAnimationFrame(flush);
}

function flush(): void {
  frame = 0;
  const batch = queue;
  queue = [];
  recent = [...recent, ...batch].slice(-RECENT_EVENTS);
  if (batch.length > 0) for (const listener of [...listeners]) listener(batch);
}

function setConnection(value: Connection): void {
  connection.value = value;
  channel.postMessage({ connection: value } satisfies Message);
}

/**
 * Follows the stream behind the sequence `after` until the signal aborts. What the pages load later contains every event up to it,
 * so none is missed. `onRefused` is called when a connection ends, which may be because the session has.
 */
export function followEvents(after: number, stop: AbortSignal, onRefused: () => void): void {
  lastSeq = Math.max(lastSeq, after);
  let parked = new AbortController();
  let timer = 0;
  const follow = (): void => {
    parked = new AbortController();
    const until = AbortSignal.any([stop, parked.signal]);
    const lead = (): Promise<void> => readStream(until, onRefused);
    const locks = navigator.locks as LockManager | undefined;
    if (locks === undefined) void lead();
    else locks.request("nightmail-events", { signal: until }, lead).catch(() => undefined);
  };
  const onVisibility = (): void => {
    clearTimeout(timer);
    if (document.hidden) timer = window.setTimeout(() => parked.abort(), HIDDEN_MS);
    else if (parked.signal.aborted) follow();
  };
  document.addEventListener("visibilitychange", onVisibility, { signal: stop });
  channel.postMessage({ ask: true } satisfies Message);
  follow();
}

/** Reads the stream and reconnects until the signal aborts. */
async function readStream(stop: AbortSignal, onRefused: () => void): Promise<void> {
  leading = true;
  let failures = 0;
  let lostAt = 0;
  while (!stop.aborted) {
    const opened = await readOnce(stop, lostAt);
    if (stop.aborted) break;
    if (opened) {
      failures = 0;
      lostAt = 0;
    }
    lostAt ||= Date.now();
    const wait = failures === 0 ? 300 : Math.min(MAX_RETRY_MS, 500 * 2 ** failures);
    failures += 1;
    setConnection({ state: "lost", since: lostAt, retryAt: Date.now() + wait });
    onRefused();
    await pause(wait);
  }
  leading = false;
}

/** Waits for so long, or until the machine has a network again. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      clearTimeout(timer);
      window.removeEventListener("online", go);
      resolve();
    };
    const timer = setTimeout(go, milliseconds);
    window.addEventListener("online", go);
  });
}

/** Reads one connection to its end, or until nothing has come for a while; returns whether anything came. */
function readOnce(stop: AbortSignal, lostAt: number): Promise<boolean> {
  return new Promise((resolve) => {
    // Behind the last event that this browser knows, so that a new connection has no gap.
    const source = new EventSource(`/events/stream?omit=results&heartbeat=true&after=${lastSeq}`);
    let opened = false;
    let silence = 0;
    const end = (): void => {
      clearTimeout(silence);
      source.close();
      stop.removeEventListener("abort", end);
      window.removeEventListener("offline", end);
      resolve(opened);
    };
    stop.addEventListener("abort", end);
    // A machine that loses its network hears nothing of it from the connection; an API on the same machine answers again at once.
    window.addEventListener("offline", end);
    source.onerror = end;
    const hear = (): void => {
      clearTimeout(silence);
      // Of a hidden tab, too: the others show what this one hears. Its timers are late, never early.
      silence = window.setTimeout(end, SILENCE_MS);
    };
    const live = (): void => {
      hear();
      if (opened) return;
      opened = true;
      setConnection({ state: "live", since: Date.now() });
      if (lostAt > 0) announceCatchUp();
    };
    hear();
    source.addEventListener("heartbeat", live);
    source.onmessage = ({ data }: MessageEvent<string>) => {
      live();
      const events = [JSON.parse(data) as LogEvent];
      take(events);
      channel.postMessage({ events } satisfies Message);
    };
  });
}

function announceCatchUp(): void {
  const before = lastSeq;
  let count = 0;
  const stopCounting = onEvents((events) => {
    count += events.filter((event) => event.seq > before).length;
  });
  setTimeout(() => {
    stopCounting();
    caughtUp.value = count;
    setTimeout(() => {
      caughtUp.value = null;
    }, ANNOUNCE_MS);
  }, CATCH_UP_MS);
}
