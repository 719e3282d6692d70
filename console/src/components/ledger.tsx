// The slot ledger: a month of a job's due times as a calendar, each with its fate. What did not happen is a fact, too.
import { useState } from "preact/hooks";
import { client, data, type Fate, type Slot } from "../api/client.ts";
import { now } from "../store/clock.ts";
import { useResource } from "../store/resource.ts";
import { addDays, dayStart } from "../words/calendar.ts";
import { clock, isoDay, zoneName } from "../words/format.ts";
import { STATES, stateOfSlot } from "../words/status.ts";
import { tally } from "./axis.tsx";
import { calendarHref } from "./calendar-links.tsx";
import { Icon } from "./icon.tsx";
import { MonthTable } from "./month-table.tsx";
import { Card } from "./page.tsx";
import { Loaded } from "./states.tsx";

/** Of what the API lists in one call. */
const LONGEST = 31 * 86_400_000;
/** Of several fates of a day, the first of these is shown. */
const WORST: (Fate | "empty")[] = [
  "failed",
  "undelivered",
  "missed",
  "skipped",
  "cancelled",
  "running",
  "requested",
  "delivered",
  "empty",
  "due",
];

export function Ledger({ jobName, timezone }: { jobName: string; timezone: string }) {
  const today = isoDay(now.value, timezone);
  const [month, setMonth] = useState(today.slice(0, 7));
  const [year, index] = month.split("-").map(Number) as [number, number];
  const first = Date.UTC(year, index - 1, 1);
  const days = new Date(Date.UTC(year, index, 0)).getUTCDate();
  const slots = useResource(
    `ledger ${jobName} ${month} ${timezone}`,
    async (signal) => {
      const from = dayStart(`${month}-01`, timezone);
      const until = dayStart(addDays(`${month}-01`, days), timezone);
      // A call covers 31 days. Where the clocks go back in a month of 31 days, it is an hour longer.
      const begins = until - from > LONGEST ? [from, from + LONGEST] : [from];
      const answers = await Promise.all(
        begins.map((begin) => load(jobName, begin, Math.min(begin + LONGEST, until), signal)),
      );
      return answers.flat();
    },
    { touches: (event) => event.job_name === jobName },
  );
  const name = new Date(first).toLocaleDateString("en", { month: "long", year: "numeric", timeZone: "UTC" });
  const move = (by: number) => setMonth(new Date(Date.UTC(year, index - 1 + by, 1)).toISOString().slice(0, 7));
  return (
    <Card
      title="Every due time"
      aside={
        <span class="stepper">
          <a href={calendarHref(year, { job: jobName })}>Year</a>
          <button type="button" class="button quiet" aria-label="previous month" onClick={() => move(-1)}>
            ‹
          </button>
          <span aria-live="polite">{name}</span>
          <button type="button" class="button quiet" aria-label="next month" onClick={() => move(1)}>
            ›
          </button>
        </span>
      }
    >
      <Loaded of={slots}>
        {(all) => <Month slots={all} first={first} timezone={timezone} today={today} name={name} />}
      </Loaded>
    </Card>
  );
}

async function load(jobName: string, from: number, until: number, signal: AbortSignal): Promise<Slot[]> {
  const query = { job_name: jobName, from: new Date(from).toISOString(), until: new Date(until).toISOString() };
  return (await data(client.GET("/slots", { params: { query }, signal }))).items;
}

interface MonthProperties {
  slots: Slot[];
  first: number;
  timezone: string;
  today: string;
  name: string;
}

function Month({ slots, first, timezone, today, name }: MonthProperties) {
  const byDay = Map.groupBy(slots, (slot) => isoDay(slot.due, timezone));
  const shown = slots.filter(
    (slot) => isoDay(slot.due, timezone).slice(0, 7) === new Date(first).toISOString().slice(0, 7),
  );
  const fates = WORST.filter((fate) => shown.some((slot) => stateOfSlot(slot) === fate));
  return (
    <>
      <MonthTable
        first={first}
        class="calendar"
        caption={<caption class="visually-hidden">{`Due times of ${name}, by day`}</caption>}
        cell={(day, date) => (
          <Day key={day} date={date} slots={byDay.get(day) ?? []} timezone={timezone} isToday={day === today} />
        )}
      />
      <p class="legend small soft">
        {fates.length === 0
          ? "Nothing was or is due in this month."
          : fates.map((fate) => (
              <span key={fate} class={STATES[fate].tone}>
                <Icon name={STATES[fate].icon} /> {STATES[fate].word}
              </span>
            ))}
      </p>
    </>
  );
}

interface DayProperties {
  date: number;
  slots: Slot[];
  timezone: string;
  isToday: boolean;
}

function Day({ date, slots, timezone, isToday }: DayProperties) {
  const worst = WORST.find((fate) => slots.some((slot) => stateOfSlot(slot) === fate));
  const run = slots.find((slot) => stateOfSlot(slot) === worst)?.run_id;
  const words =
    slots.length === 1 ? `${clock(slots[0]?.due ?? "", timezone)} ${zoneName(timezone)} ${tally(slots)}` : tally(slots);
  const content = (
    <>
      <span class="date small">{date}</span>
      {worst === undefined ? null : (
        <span class={STATES[worst].tone}>
          <Icon name={STATES[worst].icon} />
          <span class="visually-hidden">{words}</span>
        </span>
      )}
      {slots.length > 1 ? <span class="many small">{compact(slots.length)}</span> : null}
    </>
  );
  return (
    <td class={isToday ? "today" : undefined} aria-current={isToday ? "date" : undefined} title={words || undefined}>
      {run ? <a href={`/console/runs/${run}`}>{content}</a> : <span class="cell">{content}</span>}
    </td>
  );
}

/** Returns a count that fits into a day: `1.4k`. */
function compact(value: number): string {
  return value < 1000 ? String(value) : `${(value / 1000).toFixed(1)}k`;
}
