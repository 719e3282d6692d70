// A list by cursor, in the frame that every page with one has: filters, new rows behind a button, the rows, and more of them on
// demand. At most `MAX_ROWS` rows are in the document.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { LogEvent } from "../store/events.ts";
import { type Resource, useResource } from "../store/resource.ts";
import { number } from "../words/format.ts";
import { Button } from "./button.tsx";
import { FreshRows, useFresh } from "./fresh.tsx";
import { Card } from "./page.tsx";
import { Loaded } from "./states.tsx";

export const PAGE = 50;
export const MAX_ROWS = 300;

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

interface Wanted {
  limit: number;
  cursor?: string;
}

interface Options<T> {
  /** Changes rows as an event says. */
  fold?: (page: Page<T>, event: LogEvent) => Page<T>;
  /** Puts what an event adds above the rows at once, in place of `fold`. */
  grow?: (page: Page<T>, event: LogEvent) => Page<T>;
  /** Which events make the rows old. */
  touches?: (event: LogEvent) => boolean;
  /** Names the rows that an event adds. They are not shown before somebody asks for them, so that nothing moves under the pointer. */
  added?: (event: LogEvent) => string[];
  /** Names a row as `added` does. */
  idOf?: (item: T) => string;
}

interface List<T> {
  items: T[];
  page: Resource<Page<T>>;
  fresh: { many: number; show: () => void };
  more: (() => Promise<void>) | undefined;
  isCut: boolean;
}

/** Returns the rows of a list and how to get the next ones. A reload loads as many as there are. */
export function useList<T>(
  key: string,
  load: (wanted: Wanted, signal: AbortSignal) => Promise<Page<T>>,
  { fold, grow, touches, added, idOf }: Options<T> = {},
): List<T> {
  const page = useResource<Page<T>>(
    key,
    (signal, before) => loadAsMany(load, Math.min(MAX_ROWS, Math.max(PAGE, before?.items.length ?? 0)), signal),
    { fold: grow ?? fold, touches },
  );
  const { items, next_cursor: cursor } = page.data.value ?? { items: [], next_cursor: null };
  const fresh = useFresh(
    key,
    added,
    items.map((item) => idOf?.(item) ?? ""),
  );
  const more = () =>
    page.extend<Page<T>>({
      load: async (signal, { next_cursor: next }) =>
        next === null ? { items: [], next_cursor: null } : load({ limit: PAGE, cursor: next }, signal),
      fold,
      add: (before, { items: further, next_cursor }) => ({ items: [...before.items, ...further], next_cursor }),
    });
  const show = () => {
    fresh.clear();
    page.reload();
  };
  return {
    items,
    page,
    fresh: { many: fresh.many, show },
    more: cursor !== null && items.length < MAX_ROWS ? more : undefined,
    isCut: cursor !== null,
  };
}

/** Loads pages until there are `wanted` rows: the API returns fewer rows in one page than a list may have. */
async function loadAsMany<T>(
  load: (wanted: Wanted, signal: AbortSignal) => Promise<Page<T>>,
  wanted: number,
  signal: AbortSignal,
): Promise<Page<T>> {
  let { items, next_cursor: cursor } = await load({ limit: wanted }, signal);
  while (cursor !== null && items.length < wanted) {
    const next: Page<T> = await load({ limit: wanted - items.length, cursor }, signal);
    items = [...items, ...next.items];
    cursor = next.next_cursor;
  }
  return { items, next_cursor: cursor };
}

interface Properties<T> {
  list: List<T>;
  filters: ComponentChildren;
  /** What the list has, in the singular. */
  noun: string;
  empty: ComponentChildren;
  children: ComponentChildren;
}

export function ListCard<T>({ list, filters, noun, empty, children }: Properties<T>) {
  const { more } = list;
  const shown = useRef(0);
  // The button goes with the last rows. Without this, the focus would go to the start of the page.
  useLayoutEffect(() => {
    if (more !== undefined || shown.current === 0 || document.activeElement !== document.body) return;
    document.querySelectorAll<HTMLElement>("#content [data-row]")[shown.current]?.focus();
  }, [more === undefined]);
  const showMore = async () => {
    shown.current = list.items.length;
    await more?.();
  };
  return (
    <Card>
      <search class="filters">{filters}</search>
      <FreshRows {...list.fresh} noun={noun} />
      <Loaded of={list.page}>{() => (list.items.length > 0 ? children : empty)}</Loaded>
      {more === undefined ? null : (
        <div class="card-foot">
          <Button onAct={showMore}>More</Button>
        </div>
      )}
      {more === undefined && list.isCut ? (
        <p class="card-text small soft">These are the first {number(list.items.length)}. Filters find others.</p>
      ) : null}
    </Card>
  );
}
