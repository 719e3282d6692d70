// The pages of the console, by path. A page is one module; to add one, add a line here and its name in the bar if it has one.
import type { ComponentType } from "preact";
import { JobPage } from "./job.tsx";
import { JobsPage } from "./jobs.tsx";
import { OverviewPage } from "./overview.tsx";
import { RunPage } from "./run.tsx";
import { RunsPage } from "./runs.tsx";

/** Paths as preact-iso matches them; `:name` arrives decoded in the route's parameters. */
export const PAGES: { path: string; component: ComponentType }[] = [
  { path: "/console/", component: OverviewPage },
  { path: "/console/jobs", component: JobsPage },
  { path: "/console/jobs/:name", component: JobPage },
  { path: "/console/runs", component: RunsPage },
  { path: "/console/runs/:id", component: RunPage },
];

/** The words in the bar, and the key that follows `g`. */
export const NAVIGATION: { href: string; word: string; key: string }[] = [
  { href: "/console/", word: "Overview", key: "h" },
  { href: "/console/jobs", word: "Jobs", key: "j" },
  { href: "/console/runs", word: "Runs", key: "r" },
];
