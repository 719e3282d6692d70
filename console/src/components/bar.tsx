import { useLocation } from "preact-iso/router";
import { NAVIGATION } from "../pages/index.ts";
import { loadMore, openPalette } from "../pages/later.tsx";
import { now } from "../store/clock.ts";
import { caughtUp, connection } from "../store/events.ts";
import { singleKeys, type Theme, theme } from "../store/preferences.ts";
import { me, signOut } from "../store/session.ts";
import { exactClock } from "../words/format.ts";
import { Button } from "./button.tsx";

export function Bar() {
  const { path } = useLocation();
  return (
    <header class="bar">
      {/* biome-ignore lint/a11y/useValidAnchor: it goes to the content, and leaves the address alone */}
      <a class="skip button primary" href="#content" onClick={skip}>
        Skip to content
      </a>
      <a class="brand" href="/console/">
        Nightmail
      </a>
      <nav aria-label="Pages">
        {NAVIGATION.map(({ href, word }) => {
          const here = href === "/console/" ? path.replace(/\/$/, "") === "/console" : path.startsWith(href);
          return (
            <a key={href} href={href} aria-current={here ? "page" : undefined} onPointerEnter={() => void loadMore()}>
              {word}
            </a>
          );
        })}
      </nav>
      <button type="button" class="button search-open" onClick={() => openPalette({})}>
        Search or run… <kbd>Ctrl K</kbd>
      </button>
      <LiveDot />
      <Account />
    </header>
  );
}

/** Without a new address: what stands behind its `#` is the chosen tab. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function LiveDot() {
  const current = connection.value;
  const caught = caughtUp.value;
  const [tone, words] =
    current.state === "live"
      ? (["ok", caught === null ? "live" : `Back. ${caught} ${caught === 1 ? "event" : "events"} caught up.`] as const)
      : current.state === "connecting"
        ? (["soft", "connecting"] as const)
        : (["wait", lost(current.since, current.retryAt)] as const);
  return (
    <a class={`live ${tone}`} href="/console/system" title="System">
      <i class="dot" aria-hidden="true" />
      <span role="status">{words}</span>
    </a>
  );
}

function lost(since: number, retryAt: number): string {
  const seconds = Math.round((retryAt - now.value) / 1000);
  const clock = exactClock(new Date(since)).slice(0, 5);
  return seconds > 1
    ? `Not live since ${clock}. Trying again in ${seconds} s.`
    : `Not live since ${clock}. Trying again.`;
}

function Account() {
  const mine = me.value;
  if (!mine) return null;
  return (
    <div class="account">
      <button type="button" class="button quiet" popovertarget="account">
        <span>
          {mine.name} <span class="soft">({mine.role})</span> <span aria-hidden="true">▾</span>
        </span>
      </button>
      <div id="account" popover="auto" class="menu">
        <label>
          Theme
          <select value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>
            <option value="auto">as the system</option>
            <option value="light">light</option>
            <option value="dark">dark</option>
          </select>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={singleKeys.value}
            onChange={(event) => (singleKeys.value = event.currentTarget.checked)}
          />
          Single keys are shortcuts (? lists them)
        </label>
        <a href="/docs" target="_blank" rel="noreferrer">
          API documentation
        </a>
        <Button onAct={signOut}>Sign out</Button>
      </div>
    </div>
  );
}
