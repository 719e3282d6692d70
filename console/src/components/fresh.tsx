// New rows gather behind a button, so that nothing moves under the pointer.
import { useEffect, useState } from "preact/hooks";
import { type LogEvent, onEvents } from "../store/events.ts";
import { count } from "../words/format.ts";

/** Collects what the events since the last load added: `idOf` names it, undefined if the event adds nothing. */
export function useFresh(key: string, idOf: (event: LogEvent) => string | undefined) {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    setIds(new Set());
    return onEvents((events) => {
      const added = events.map(idOf).filter((id) => id !== undefined);
      if (added.length > 0) setIds((before) => new Set([...before, ...added]));
    });
  }, [key]);
  return { many: ids.size, clear: () => setIds(new Set()) };
}

interface Properties {
  fresh: { many: number; clear: () => void };
  noun: string;
  onShow: () => void;
}

export function FreshRows({ fresh, noun, onShow }: Properties) {
  if (fresh.many === 0) return null;
  const show = () => {
    fresh.clear();
    onShow();
  };
  return (
    <button type="button" class="fresh" onClick={show}>
      ↑ {count(fresh.many, `new ${noun}`)}
    </button>
  );
}
