// The pages of the console, by path. A page is one module; to add one, add a line here and its name in the bar if it has one.
import type { ComponentType } from "preact";
import { EditPage, NewPage } from "./edit.tsx";
import { ExplainPage } from "./explain.tsx";
import { JobPage } from "./job.tsx";
import { JobsPage } from "./jobs.tsx";
import { LogPage } from "./log.tsx";
import { MailPage } from "./mail.tsx";
import { OverviewPage } from "./overview.tsx";
import { RunPage } from "./run.tsx";
import { RunsPage } from "./runs.tsx";

/** Paths as preact-iso matches them; `:name` arrives decoded in the route's parameters. */
export const PAGES: { path: string; component: ComponentType }[] = [
  { path: "/console/", component: OverviewPage },
  { path: "/console/jobs", component: JobsPage },
  { path: "/console/jobs/new", component: NewPage },
  { path: "/console/jobs/:name", component: JobPage },
  { path: "/console/jobs/:name/edit", component: EditPage },
  { path: "/console/runs", component: RunsPage },
  { path: "/console/runs/:id", component: RunPage },
  { path: "/console/mail", component: MailPage },
  { path: "/console/mail/explain", component: ExplainPage },
  { path: "/console/mail/explain/:id", component: ExplainPage },
  { path: "/console/log", component: LogPage },
];

/** The words in the bar, and the key that follows `g`. */
export const NAVIGATION: { href: string; word: string; key: string }[] = [
  { href: "/console/", word: "Overview", key: "h" },
  { href: "/console/jobs", word: "Jobs", key: "j" },
  { href: "/console/runs", word: "Runs", key: "r" },
  { href: "/console/mail", word: "Mail", key: "m" },
  { href: "/console/log", word: "Log", key: "l" },
];
