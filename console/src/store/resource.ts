// What a page shows of the API: loaded once, kept while another page is open, changed by events, and loaded again soon after them.
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import { type LogEvent, loadWithEvents, onEvents } from "./events.ts";

export interface Resource<T> {
  readonly data: Signal<T | undefined>;
  readonly error: Signal<ApiError | undefined>;
  /** Loads again, after the request that goes on. */
  reload(): void;
  /** Loads more, and adds it to the data. A failure is thrown, and leaves the data as it is. */
  extend<Part>(more: Extension<T, Part>): Promise<void>;
}

interface Extension<T, Part> {
  load: (signal: AbortSignal, data: T) => Promise<Part>;
  fold?: ((part: Part, event: LogEvent) => Part) | undefined;
  add: (data: T, part: Part) => T;
}

interface Options<T> {
  /** Changes the data at once, where the event says all that it needs; returns the data itself where nothing changes. */
  fold?: ((data: T, event: LogEvent) => T) | undefined;
  /** Which events make the data old, so that it is loaded again soon after one. The default is none. */
  touches?: ((event: LogEvent) => boolean) | undefined;
}

type Load<T> = (signal: AbortSignal, before: T | undefined) => Promise<T>;

/** Pages that were open before appear at once, and are then loaded again. */
const KEPT_RESOURCES = 40;
/** Many events give one request: the first after this time, and then at most one per interval. */
const SETTLE_MS = 300;
const RELOAD_INTERVAL_MS = 3_000;
/** How soon a failed request is repeated while the API is away or behind. */
const RETRY_MS = 2_000;
/** A request that has no answer by then is given up and repeated. */
const LONGEST_MS = 60_000;

/**
 * One request at a time: an answer never overtakes another, and no request is given up for a later one. Where events come faster
 * than answers, nothing would be shown otherwise.
 */
class ApiResource<T> implements Resource<T> {
  readonly data = signal<T | undefined>(undefined);
  readonly error = signal<ApiError | undefined>(undefined);
  private request = new AbortController();
  private last: Promise<void> = Promise.resolve();
  private waiting = 0;
  private reloadWaits = false;
  private watchers = 0;
  private stopEvents = (): void => undefined;
  private timer = 0;
  private loadedAt = 0;

  constructor(
    private readonly load: Load<T>,
    private readonly options: Options<T>,
  ) {}

  /** Loads now, and again whenever events make the data old; returns the function that stops it. */
  watch(): () => void {
    this.watchers += 1;
    if (this.watchers === 1) this.stopEvents = onEvents((events) => this.take(events));
    this.reload();
    return () => {
      this.watchers -= 1;
      if (this.watchers > 0) return;
      this.stopEvents();
      clearTimeout(this.timer);
      this.timer = 0;
      this.request.abort();
    };
  }

  reload(): void {
    if (this.reloadWaits) return;
    this.reloadWaits = true;
    void this.inTurn((signal) => {
      this.reloadWaits = false;
      return this.fetch(signal);
    });
  }

  extend<Part>({ load, fold, add }: Extension<T, Part>): Promise<void> {
    return this.inTurn(async (signal) => {
      const data = this.data.value;
      if (data === undefined) return;
      const part = await loadWithEvents(() => load(signal, data), fold);
      if (this.data.value !== undefined) this.data.value = add(this.data.value, part);
    });
  }

  /** Does something when the request that goes on has ended; nothing if nobody watches any more. */
  private inTurn(action: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.waiting += 1;
    const turn = this.last.then(async () => {
      const request = new AbortController();
      this.request = request;
      if (this.watchers === 0) request.abort();
      try {
        await action(AbortSignal.any([request.signal, AbortSignal.timeout(LONGEST_MS)]));
      } catch (error) {
        if (!request.signal.aborted) throw error;
      } finally {
        this.waiting -= 1;
      }
    });
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private take(events: LogEvent[]): void {
    const { fold, touches } = this.options;
    if (fold !== undefined && this.data.value !== undefined) this.data.value = events.reduce(fold, this.data.value);
    if (touches !== undefined && events.some(touches)) {
      this.schedule(Math.max(SETTLE_MS, this.loadedAt + RELOAD_INTERVAL_MS - Date.now()));
    }
  }

  private schedule(wait: number): void {
    if (this.timer !== 0) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      if (this.waiting > 0) this.schedule(SETTLE_MS);
      else this.reload();
    }, wait);
  }

  private async fetch(signal: AbortSignal): Promise<void> {
    clearTimeout(this.timer);
    this.timer = 0;
    try {
      const loaded = await loadWithEvents(() => this.load(signal, this.data.value), this.options.fold);
      this.data.value = loaded;
      this.error.value = undefined;
      this.loadedAt = Date.now();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error.value = error;
      if (error.status === 0 || error.status === 503) this.schedule(RETRY_MS);
    }
  }
}

const kept = new Map<string, ApiResource<unknown>>();

export function forgetResources(): void {
  kept.clear();
}

/** Returns the resource of a key. Two pages with one key share what was loaded; another key never shows this one's rows. */
export function useResource<T>(key: string, load: Load<T>, options: Options<T> = {}): Resource<T> {
  const resource = useMemo(() => {
    const found = (kept.get(key) as ApiResource<T> | undefined) ?? new ApiResource(load, options);
    kept.delete(key);
    kept.set(key, found as ApiResource<unknown>);
    const oldest = kept.keys().next();
    if (kept.size > KEPT_RESOURCES && !oldest.done) kept.delete(oldest.value);
    return found;
  }, [key]);
  useEffect(() => resource.watch(), [resource]);
  return resource;
}
