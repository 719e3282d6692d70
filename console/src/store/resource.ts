// What a page shows of the API: loaded once, kept while another page is open, changed by events, and loaded again soon after them.
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import { type LogEvent, loadWithEvents, onEvents } from "./events.ts";

export interface Resource<T> {
  readonly data: Signal<T | undefined>;
  readonly error: Signal<ApiError | undefined>;
  readonly loading: Signal<boolean>;
  reload(): void;
}

interface Options<T> {
  /** Changes the data at once, where the event says all that it needs; returns the data itself where nothing changes. */
  fold?: (data: T, event: LogEvent) => T;
  /** Which events make the data old. The default is every event that a fold takes, or none. */
  touches?: (event: LogEvent) => boolean;
}

/** Pages that were open before appear at once, and are then loaded again. */
const KEPT_RESOURCES = 40;
/** Many events give one request: the first after this time, and then at most one per interval. */
const SETTLE_MS = 300;
const RELOAD_INTERVAL_MS = 3_000;
/** How soon a failed request is repeated while the API is away or behind. */
const RETRY_MS = 2_000;

class ApiResource<T> implements Resource<T> {
  readonly data = signal<T | undefined>(undefined);
  readonly error = signal<ApiError | undefined>(undefined);
  readonly loading = signal(false);
  private request = new AbortController();
  private timer = 0;
  private loadedAt = 0;

  constructor(
    private readonly load: (signal: AbortSignal) => Promise<T>,
    private readonly options: Options<T>,
  ) {}

  /** Loads now, and again whenever events make the data old; returns the function that stops it. */
  watch(): () => void {
    this.reload();
    const stop = onEvents((events) => this.take(events));
    return () => {
      stop();
      clearTimeout(this.timer);
      this.timer = 0;
      this.request.abort();
    };
  }

  reload(): void {
    void this.fetch();
  }

  private take(events: LogEvent[]): void {
    const { fold, touches } = this.options;
    if (fold !== undefined && this.data.value !== undefined) this.data.value = events.reduce(fold, this.data.value);
    if (touches !== undefined && events.some(touches)) {
      this.schedule(Math.max(SETTLE_MS, this.loadedAt + RELOAD_INTERVAL_MS - Date.now()));
    }
  }

  private schedule(wait: number): void {
    if (this.timer === 0) this.timer = window.setTimeout(() => this.reload(), wait);
  }

  private async fetch(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = 0;
    this.request.abort();
    const request = new AbortController();
    this.request = request;
    this.loading.value = true;
    try {
      const loaded = await loadWithEvents(() => this.load(request.signal), this.options.fold);
      if (request.signal.aborted) return;
      this.data.value = loaded;
      this.error.value = undefined;
      this.loadedAt = Date.now();
    } catch (error) {
      if (request.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.error.value = error;
      if (error.status === 0 || error.status === 503) this.schedule(RETRY_MS);
    }
    this.loading.value = false;
  }
}

const kept = new Map<string, ApiResource<unknown>>();

export function forgetResources(): void {
  kept.clear();
}

/** Returns the resource of a key. Two pages with one key share what was loaded; another key never shows this one's rows. */
export function useResource<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  options: Options<T> = {},
): Resource<T> {
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
