// The pages of the console, by path. A page is one module; to add one, add it to `more.ts` and a line here.
import type { ComponentType } from "preact";
import { JobPage } from "./job.tsx";
import { JobsPage } from "./jobs.tsx";
import { later } from "./later.tsx";
import { OverviewPage } from "./overview.tsx";
import { RunPage } from "./run.tsx";
import { RunsPage } from "./runs.tsx";
import { SignedIn } from "./sign-in.tsx";

/** Paths as preact-iso matches them; `:name` arrives decoded in the route's parameters. */
export const PAGES: { path: string; component: ComponentType }[] = [
  { path: "/console/", component: OverviewPage },
  { path: "/console/jobs", component: JobsPage },
  { path: "/console/jobs/new", component: later("NewPage") },
  { path: "/console/jobs/:name", component: JobPage },
  { path: "/console/jobs/:name/edit", component: later("EditPage") },
  { path: "/console/jobs/:name/versions/:range", component: later("VersionsPage") },
  { path: "/console/runs", component: RunsPage },
  { path: "/console/runs/:id", component: RunPage },
  { path: "/console/runs/:id/diff/:other", component: later("DiffPage") },
  { path: "/console/mail", component: later("MailPage") },
  { path: "/console/mail/explain", component: later("ExplainPage") },
  { path: "/console/mail/explain/:id", component: later("ExplainPage") },
  { path: "/console/log", component: later("LogPage") },
  { path: "/console/calendar", component: later("CalendarPage") },
  { path: "/console/calendar/:year", component: later("CalendarPage") },
  { path: "/console/calendar/:year/:day", component: later("CalendarPage") },
  { path: "/console/system", component: later("SystemPage") },
  { path: "/console/system/tokens", component: later("TokensPage") },
  { path: "/console/sign-in", component: SignedIn },
];

/** The words in the bar, and the key that follows `g`. */
export const NAVIGATION: { href: string; word: string; key: string }[] = [
  { href: "/console/", word: "Overview", key: "h" },
  { href: "/console/jobs", word: "Jobs", key: "j" },
  { href: "/console/runs", word: "Runs", key: "r" },
  { href: "/console/mail", word: "Mail", key: "m" },
  { href: "/console/log", word: "Log", key: "l" },
];
