// New rows gather behind a button, so that nothing moves under the pointer.
import { useEffect, useState } from "preact/hooks";
import { type LogEvent, onEvents } from "../store/events.ts";
import { count } from "../words/format.ts";

/** Collects the names of what events add and the list does not show; an answer that was on its way may show it already. */
export function useFresh(key: string, added: ((event: LogEvent) => string[]) | undefined, shown: string[]) {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    setIds(new Set());
    return (
      added &&
      onEvents((events) => {
        const names = events.flatMap(added);
        if (names.length > 0) setIds((before) => new Set([...before, ...names]));
      })
    );
  }, [key]);
  const isShown = new Set(shown);
  return { many: [...ids].filter((id) => !isShown.has(id)).length, clear: () => setIds(new Set()) };
}

interface Properties {
  many: number;
  noun: string;
  show: () => void;
}

export function FreshRows({ many, noun, show }: Properties) {
  if (many === 0) return null;
  return (
    <button type="button" class="fresh" onClick={show}>
      ↑ {count(many, `new ${noun}`)}
    </button>
  );
}
