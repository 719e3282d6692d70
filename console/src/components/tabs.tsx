import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";

export interface Tab {
  id: string;
  word: string;
  /** How many things it has, if that is known. */
  many?: number | undefined;
  content: () => ComponentChildren;
}

/** Tabs (WAI-ARIA, tabs pattern): arrows, Home and End move between them, and the address holds the chosen one after `#`. */
export function Tabs({ tabs, label }: { tabs: Tab[]; label: string }) {
  const { path } = useLocation();
  const [chosen, setChosen] = useState(() => location.hash.slice(1));
  useEffect(() => {
    const read = () => setChosen(location.hash.slice(1));
    read();
    window.addEventListener("hashchange", read);
    return () => window.removeEventListener("hashchange", read);
  }, [path]);
  const current = tabs.find(({ id }) => id === chosen) ?? tabs[0];
  // On a narrow page the tabs are wider than it.
  useEffect(() => {
    const tab = document.getElementById(`tab-${current?.id}`);
    const list = tab?.parentElement;
    if (tab == null || list == null) return;
    const [place, all] = [tab.getBoundingClientRect(), list.getBoundingClientRect()];
    if (place.right > all.right) list.scrollLeft += place.right - all.right;
    else if (place.left < all.left) list.scrollLeft -= all.left - place.left;
  }, [current?.id]);
  if (current === undefined) return null;
  const choose = (tab: Tab) => {
    history.replaceState(history.state, "", `#${tab.id}`);
    setChosen(tab.id);
    document.getElementById(`tab-${tab.id}`)?.focus();
  };
  const onKey = (event: KeyboardEvent) => {
    const at = tabs.indexOf(current);
    const places: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 };
    const place = places[event.key];
    const next = place === undefined ? undefined : tabs.at(place % tabs.length);
    if (next === undefined) return;
    event.preventDefault();
    choose(next);
  };
  return (
    <section class="card">
      <div class="tabs" role="tablist" aria-label={label}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            id={`tab-${tab.id}`}
            type="button"
            role="tab"
            aria-selected={tab === current}
            aria-controls="tab-panel"
            tabIndex={tab === current ? 0 : -1}
            onClick={() => choose(tab)}
            onKeyDown={onKey}
          >
            {tab.word}
            {tab.many === undefined ? null : <span class="soft"> {tab.many}</span>}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${current.id}`}>
        {current.content()}
      </div>
    </section>
  );
}
