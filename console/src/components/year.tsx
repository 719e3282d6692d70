// A year of runs, month by month: the darker a day, the more ran; what failed is marked by colour and by a bar.
import { useRef, useState } from "preact/hooks";
import type { Schemas } from "../api/client.ts";
import { addDays, dayInWords } from "../words/calendar.ts";
import { count, number } from "../words/format.ts";
import { calendarHref } from "./calendar-links.tsx";
import { MonthTable } from "./month-table.tsx";
import { Table } from "./table.tsx";

export type DayCounters = Schemas["DayCounters"];
type Counts = DayCounters["runs"];

const LEVELS = 4;
const STEPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowUp: -7,
  ArrowDown: 7,
  PageUp: -28,
  PageDown: 28,
};

interface Properties {
  year: number;
  days: DayCounters[];
  today: string;
  job: string | undefined;
  /** The days on which the clocks change, and the hours that they have. */
  changes: Map<string, number>;
}

export function Year({ year, days, today, job, changes }: Properties) {
  const byDay = new Map(days.map((one) => [one.day, one]));
  const most = Math.max(1, ...days.map(({ runs }) => total(runs)));
  // One day is in the order of Tab; arrows move between them.
  const [reached, setReached] = useState(today.startsWith(String(year)) ? today : `${year}-01-01`);
  const current = reached.startsWith(String(year)) ? reached : `${year}-01-01`;
  const frame = useRef<HTMLDivElement>(null);
  const onKey = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = addDays(current, step);
    const link = frame.current?.querySelector<HTMLElement>(`[data-day="${next}"]`);
    event.preventDefault();
    if (link === null || link === undefined) return;
    setReached(next);
    link.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the links in it are what is operated
    <div class="year" ref={frame} onKeyDown={onKey}>
      {Array.from({ length: 12 }, (_, month) => (
        <MonthOfYear
          key={month}
          first={Date.UTC(year, month, 1)}
          {...{ byDay, most, today, job, changes, current, onReach: setReached }}
        />
      ))}
    </div>
  );
}

interface MonthProperties {
  first: number;
  byDay: Map<string, DayCounters>;
  most: number;
  today: string;
  job: string | undefined;
  changes: Map<string, number>;
  current: string;
  onReach: (day: string) => void;
}

function MonthOfYear({ first, byDay, most, today, job, changes, current, onReach }: MonthProperties) {
  const start = new Date(first);
  return (
    <MonthTable
      first={first}
      caption={<caption>{start.toLocaleDateString("en", { month: "long", timeZone: "UTC" })}</caption>}
      cell={(day, date) => {
        const runs = byDay.get(day)?.runs;
        const hours = changes.get(day);
        const words = `${dayInWords(day)}: ${runs === undefined ? "no runs" : runWords(runs)}${hours === undefined ? "" : `; the clocks change, it has ${hours} hours`}`;
        return (
          <td key={day} aria-current={day === today ? "date" : undefined}>
            <a
              href={calendarHref(start.getUTCFullYear(), { job, day })}
              class={`${tone(runs)} level-${runs === undefined ? 0 : Math.ceil(LEVELS * Math.sqrt(total(runs) / most))}${hours === undefined ? "" : " changes"}`}
              data-day={day}
              tabIndex={day === current ? 0 : -1}
              onFocus={() => onReach(day)}
              title={words}
              aria-label={words}
            >
              {date}
            </a>
          </td>
        );
      }}
    />
  );
}

export function total(runs: Counts): number {
  return Object.values(runs).reduce((sum, many) => sum + many, 0);
}

export function bad(runs: Counts): number {
  return runs.failed + runs.undelivered;
}

function tone(runs: Counts | undefined): string {
  if (runs === undefined) return "";
  return bad(runs) > 0 ? "bad" : runs.skipped > 0 ? "wait" : "";
}

function runWords(runs: Counts): string {
  const kinds = Object.entries(runs).filter(([, many]) => many > 0);
  return `${count(total(runs), "run")}, ${kinds.map(([status, many]) => `${number(many)} ${status}`).join(", ")}`;
}

/** The months in numbers: what the colours say. */
export function MonthTotals({ days }: { days: DayCounters[] }) {
  const months = [...Map.groupBy(days, ({ day }) => day.slice(0, 7))];
  const sum = (of: DayCounters[], value: (one: DayCounters) => number) =>
    number(of.reduce((all, one) => all + value(one), 0));
  const columns: [string, (one: DayCounters) => number][] = [
    ["Runs", ({ runs }) => total(runs)],
    ["Delivered", ({ runs }) => runs.delivered],
    ["Failed", ({ runs }) => bad(runs)],
    ["Skipped", ({ runs }) => runs.skipped],
    ["Mails accepted", ({ mails }) => mails.accepted],
    ["Mails refused", ({ mails }) => mails.refused + mails.bounced],
  ];
  return (
    <Table
      class="rows"
      caption="Runs and mails by month"
      columns={["Month", ...columns.map(([word]) => ({ numbers: word }))]}
    >
      {months.map(([month, of]) => (
        <tr key={month}>
          <th scope="row">{new Date(month).toLocaleDateString("en", { month: "long", timeZone: "UTC" })}</th>
          {columns.map(([word, value]) => (
            <td key={word} class="number" data-label={word}>
              {sum(of, value)}
            </td>
          ))}
        </tr>
      ))}
    </Table>
  );
}
