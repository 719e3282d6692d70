// The shell: the sign-in page for nobody, the bar and the page of the address for everybody else.

import { useEffect } from "preact/hooks";
import { LocationProvider, Route, Router, useLocation } from "preact-iso/router";
import { type ApiError, client } from "./api/client.ts";
import { Bar } from "./components/bar.tsx";
import { Keys } from "./components/keys.tsx";
import { Page } from "./components/page.tsx";
import { Empty, Failure } from "./components/states.tsx";
import { ToastLine } from "./components/toast.tsx";
import { PAGES } from "./pages/index.ts";
import { LaterPalette } from "./pages/later.tsx";
import { SignIn } from "./pages/sign-in.tsx";
import { followEvents } from "./store/events.ts";
import { forgetResources } from "./store/resource.ts";
import { bootProblem, me, openSession } from "./store/session.ts";

export function App() {
  const mine = me.value;
  if (mine === undefined) return bootProblem.value === null ? null : <Starting problem={bootProblem.value} />;
  if (mine === null) return <SignIn />;
  return <Shell key={mine.name} />;
}

function Starting({ problem }: { problem: ApiError }) {
  return (
    <main class="sign-in" id="content">
      <div class="card">
        <h1>Nightmail</h1>
        <Failure error={problem} retry={() => void openSession()} isRetried />
      </div>
    </main>
  );
}

function Shell() {
  useEffect(() => {
    const stop = new AbortController();
    // A connection that ends may have ended with the session: the answer to `GET /me` says which.
    followEvents(me.peek()?.sequence ?? 0, stop.signal, () => void checkSession());
    return () => {
      stop.abort();
      forgetResources();
    };
  }, []);
  return (
    <LocationProvider scope="/console">
      <Bar />
      <Pages />
      <ToastLine />
      <Keys />
      <LaterPalette />
    </LocationProvider>
  );
}

function Pages() {
  // The router decodes the parts of an address, and throws at one such as `%ZZ`.
  if (!isDecodable(useLocation().path)) return <NotFound />;
  return (
    <Router onRouteChange={focusContent}>
      {PAGES.map(({ path, component }) => (
        <Route key={path} path={path} component={component} />
      ))}
      <Route default component={NotFound} />
    </Router>
  );
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

async function checkSession(): Promise<void> {
  const before = me.value;
  const answer = await client.GET("/me").catch(() => null);
  if (answer?.response.status === 401 && before) await openSession();
}

/** A new page begins at its top, for eyes and for screen readers. */
function focusContent(): void {
  window.scrollTo(0, 0);
  requestAnimationFrame(() => document.getElementById("content")?.focus({ preventScroll: true }));
}

function NotFound() {
  return (
    <Page title="There is no such page">
      <Empty title="This address leads nowhere.">
        Go to the <a href="/console/">Overview</a>.
      </Empty>
    </Page>
  );
}
