// A list by cursor: the first page is loaded again when events make it old, further pages are appended on demand, and events change
// the rows of all. At most `MAX_ROWS` rows are in the document.
import { useEffect, useState } from "preact/hooks";
import { type LogEvent, loadWithEvents, onEvents } from "../store/events.ts";

export const PAGE = 50;
export const MAX_ROWS = 300;

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** Returns a list that has more and more rows, and how to get the next ones. `fold` changes rows as the event says. */
export function useMore<T>(
  first: Page<T> | undefined,
  load: (cursor: string) => Promise<Page<T>>,
  key: string,
  fold?: (page: Page<T>, event: LogEvent) => Page<T>,
) {
  const [more, setMore] = useState<({ key: string } & Page<T>) | null>(null);
  useEffect(
    () =>
      fold && onEvents((events) => setMore((before) => before && { key: before.key, ...events.reduce(fold, before) })),
    [key],
  );
  const mine = more?.key === key ? more : null;
  const items = [...(first?.items ?? []), ...(mine?.items ?? [])];
  const cursor = mine === null ? (first?.next_cursor ?? null) : mine.next_cursor;
  const next = async () => {
    if (cursor === null) return;
    const page = await loadWithEvents(() => load(cursor), fold);
    setMore((before) => ({ ...page, key, items: [...(before?.key === key ? before.items : []), ...page.items] }));
  };
  return {
    items: items.slice(0, MAX_ROWS),
    next: items.length < MAX_ROWS && cursor !== null ? next : undefined,
    isCut: cursor !== null,
  };
}
