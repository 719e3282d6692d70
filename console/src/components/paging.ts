// A list by cursor: the first page is live, further pages are appended on demand. At most `MAX_ROWS` rows are in the document.
import { useState } from "preact/hooks";

export const PAGE = 50;
export const MAX_ROWS = 300;

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** Returns a list that has more and more rows, and how to get the next ones. */
export function useMore<T>(first: Page<T> | undefined, load: (cursor: string) => Promise<Page<T>>, key: string) {
  const [more, setMore] = useState<{ key: string; items: T[]; cursor: string | null } | null>(null);
  const mine = more?.key === key ? more : null;
  const items = [...(first?.items ?? []), ...(mine?.items ?? [])];
  const cursor = mine === null ? (first?.next_cursor ?? null) : mine.cursor;
  const next = async () => {
    if (cursor === null) return;
    const page = await load(cursor);
    setMore({ key, items: [...(mine?.items ?? []), ...page.items], cursor: page.next_cursor });
  };
  return {
    items: items.slice(0, MAX_ROWS),
    next: items.length < MAX_ROWS && cursor !== null ? next : undefined,
    isCut: cursor !== null,
  };
}
