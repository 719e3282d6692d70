// The calendar: a year of runs, and a day with every due time and what became of it.

import { useState } from "preact/hooks";
import { useRoute } from "preact-iso/router";
import { client, data, orNothing, type Slot } from "../api/client.ts";
import { tally } from "../components/axis.tsx";
import { calendarHref, ViewSwitch } from "../components/calendar-links.tsx";
import { ChoiceFilter, ClearFilters, TextFilter, useFilters } from "../components/filters.tsx";
import { jobHref } from "../components/job-table.tsx";
import { MAX_ROWS } from "../components/list.tsx";
import { Card, Page } from "../components/page.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { Status } from "../components/status.tsx";
import { Table } from "../components/table.tsx";
import { bad, type DayCounters, MonthTotals, total, Year } from "../components/year.tsx";
import { now } from "../store/clock.ts";
import { useResource } from "../store/resource.ts";
import { addDays, clockChanges, dayInWords, dayStart, hoursOf, isDay } from "../words/calendar.ts";
import { clock, count, HERE, isoDay, milliseconds, number, zoneName } from "../words/format.ts";
import { STATES, type State, stateOfSlot } from "../words/status.ts";

/** More due times than the API lists in one answer. */
const MAX_SLOTS = 10_000;
/** A start later than this behind its due time is worth a word. */
const LATE_SECONDS = 60;

export function CalendarPage() {
  const { params } = useRoute();
  const year = params.year ?? String(new Date().getFullYear());
  const day = params.day === undefined ? undefined : `${year}-${params.day}`;
  const exists = /^[12]\d{3}$/.test(year) && (day === undefined || isDay(day));
  if (!exists) {
    return (
      <Page title="Calendar" above={<a href="/console/">Overview</a>}>
        <Empty title="There is no such day.">
          The <a href={calendarHref(new Date().getFullYear())}>calendar of this year</a> has those that are.
        </Empty>
      </Page>
    );
  }
  return day === undefined ? <YearPage year={Number(year)} /> : <DayPage key={day} day={day} />;
}

/** Returns the zone of a job; the reader's without a job, and for one that is not there any more. */
async function zoneOf(job: string | undefined, signal: AbortSignal): Promise<string> {
  if (job === undefined) return HERE;
  const found = await orNothing(data(client.GET("/jobs/{job_name}", { params: { path: { job_name: job } }, signal })));
  return found?.timezone ?? HERE;
}

function YearPage({ year }: { year: number }) {
  const filters = useFilters(["job"]);
  const { job } = filters.current;
  const found = useResource(
    `year ${year} ${job ?? ""}`,
    async (signal) => {
      const query = {
        from: `${year}-01-01`,
        until: `${year}-12-31`,
        group_by: "day" as const,
        ...(job ? { job_name: job } : {}),
      };
      const [zone, { items }] = await Promise.all([
        zoneOf(job, signal),
        data(client.GET("/stats/days", { params: { query }, signal })),
      ]);
      return { days: items, zone };
    },
    {
      touches: ({ type, job_name }) =>
        (!job || job_name === job) && (type.startsWith("run-") || type.startsWith("mail-")),
    },
  );
  const loaded = found.data.value;
  return (
    <Page
      title={String(year)}
      above={<Above job={job} />}
      actions={
        <nav class="stepper" aria-label="Years">
          <a
            class="button plain"
            href={calendarHref(new Date().getFullYear(), { job, day: isoDay(now.value, loaded?.zone) })}
          >
            Today
          </a>
          <a class="button plain" href={calendarHref(year - 1, { job })}>
            ‹ {year - 1}
          </a>
          <a class="button plain" href={calendarHref(year + 1, { job })}>
            {year + 1} ›
          </a>
        </nav>
      }
      sentence={loaded === undefined ? undefined : yearInWords(loaded.days)}
    >
      <Card title="Runs by day" aside={<ViewSwitch here="calendar" />}>
        <search class="filters">
          <TextFilter label="Job, by its whole name" value={job} onSet={(value) => filters.set({ job: value })} />
          <ClearFilters filters={filters} />
        </search>
        <Loaded of={found}>
          {({ days, zone }) => {
            const changes = clockChanges(year, zone);
            return (
              <>
                <Year year={year} days={days} today={isoDay(now.value, zone)} job={job} changes={changes} />
                <Legend changes={changes} year={year} job={job} zone={zone} />
                {days.length === 0 ? null : (
                  <details class="small card-text">
                    <summary>As a table, by month</summary>
                    <MonthTotals days={days} />
                  </details>
                )}
              </>
            );
          }}
        </Loaded>
      </Card>
    </Page>
  );
}

function Above({ job }: { job: string | undefined }) {
  return job === undefined ? (
    <a href="/console/">Overview</a>
  ) : (
    <>
      <a href="/console/jobs">Jobs</a> / <a href={jobHref(job)}>{job}</a>
    </>
  );
}

function yearInWords(days: DayCounters[]): string {
  const runs = days.reduce((sum, one) => sum + total(one.runs), 0);
  if (runs === 0) return "Nothing ran in this year. Choose a day to see what was or is due.";
  const badDays = days.filter((one) => bad(one.runs) > 0);
  const failed = badDays.reduce((sum, one) => sum + bad(one.runs), 0);
  const rest = failed === 0 ? "None failed" : `${number(failed)} failed, on ${count(badDays.length, "day")}`;
  return `${rest}. ${count(runs, "run")} on ${count(days.length, "day")}.`;
}

function Legend({
  changes,
  year,
  job,
  zone,
}: {
  changes: Map<string, number>;
  year: number;
  job: string | undefined;
  zone: string;
}) {
  return (
    <div class="legend small soft">
      <span>
        few
        {[1, 2, 3, 4].map((level) => (
          <i key={level} class={`swatch level-${level}`} />
        ))}
        many runs
      </span>
      <span>
        <i class="swatch bad" /> some failed
      </span>
      <span>
        <i class="swatch wait level-1" /> some skipped
      </span>
      {[...changes].map(([day, hours]) => (
        <span key={day}>
          <i class="swatch changes" />
          <a href={calendarHref(year, { job, day })}>{dayInWords(day).replace(` ${year}`, "")}</a> has {hours} hours in{" "}
          {zoneName(zone)}
        </span>
      ))}
      <span>Counted by days in UTC. Arrow keys move between days.</span>
    </div>
  );
}

function DayPage({ day }: { day: string }) {
  const filters = useFilters(["job", "fate"]);
  const { job } = filters.current;
  const fate = (Object.keys(STATES) as State[]).find((one) => one === filters.current.fate);
  const found = useResource(
    `agenda ${day} ${job ?? ""}`,
    async (signal) => {
      const zone = await zoneOf(job, signal);
      const query = {
        from: new Date(dayStart(day, zone)).toISOString(),
        until: new Date(dayStart(addDays(day, 1), zone)).toISOString(),
        ...(job ? { job_name: job } : {}),
      };
      return { zone, slots: (await data(client.GET("/slots", { params: { query }, signal }))).items };
    },
    { touches: ({ job_name }) => !job || job_name === job },
  );
  const loaded = found.data.value;
  const year = Number(day.slice(0, 4));
  const next = (by: number) => {
    const other = addDays(day, by);
    return calendarHref(Number(other.slice(0, 4)), { job, day: other });
  };
  return (
    <Page
      title={dayInWords(day)}
      above={
        <>
          <Above job={job} /> / <a href={calendarHref(year, { job })}>{year}</a>
        </>
      }
      actions={
        <nav class="stepper" aria-label="Days">
          <a class="button plain" href={next(-1)}>
            ‹ Day before
          </a>
          <a class="button plain" href={next(1)}>
            Day after ›
          </a>
        </nav>
      }
      sentence={loaded === undefined ? undefined : <DaySentence day={day} {...loaded} />}
    >
      <Card>
        <search class="filters">
          <TextFilter label="Job, by its whole name" value={job} onSet={(value) => filters.set({ job: value })} />
          <ChoiceFilter
            label="What became of it"
            value={fate}
            choices={[
              ["", "everything"],
              ...fatesOf(loaded?.slots ?? [], fate).map((one) => [one, STATES[one].word] as const),
            ]}
            onSet={(value) => filters.set({ fate: value })}
          />
          <ClearFilters filters={filters} />
        </search>
        <Loaded of={found}>
          {({ slots, zone }) => (
            <Agenda
              key={`${job} ${fate}`}
              slots={fate === undefined ? slots : slots.filter((slot) => stateOfSlot(slot) === fate)}
              zone={zone}
              isFiltered={filters.isFiltered}
              isCut={slots.length >= MAX_SLOTS}
            />
          )}
        </Loaded>
      </Card>
    </Page>
  );
}

function fatesOf(slots: Slot[], chosen: State | undefined): State[] {
  return [...new Set([...slots.map(stateOfSlot), ...(chosen === undefined ? [] : [chosen])])];
}

function DaySentence({ day, slots, zone }: { day: string; slots: Slot[]; zone: string }) {
  const hours = hoursOf(day, zone);
  return (
    <>
      {slots.length === 0 ? "Nothing was or is due." : `${count(slots.length, "due time")}: ${tally(slots)}.`}
      {hours === 24 ? null : (
        <span class="wait">
          {" "}
          The clocks change in {zoneName(zone)}: this day has {hours} hours.
        </span>
      )}
    </>
  );
}

interface AgendaProperties {
  slots: Slot[];
  zone: string;
  isFiltered: boolean;
  isCut: boolean;
}

function Agenda({ slots, zone, isFiltered, isCut }: AgendaProperties) {
  const [start, setStart] = useState(0);
  if (slots.length === 0) {
    return (
      <Empty title={isFiltered ? "Nothing matches." : "Nothing was or is due on this day."}>
        {isFiltered ? "Clear the filters to see every due time." : "A run by hand has no due time; Runs has it."}
      </Empty>
    );
  }
  const shown = slots.slice(start, start + MAX_ROWS);
  return (
    <>
      <Table
        class="rows agenda"
        caption="Due times in order"
        columns={[`Due (${zoneName(zone)})`, "Job", "What became of it", "Run"]}
      >
        {shown.map((slot) => (
          <tr key={`${slot.due} ${slot.job_name}`}>
            <th scope="row" class="nowrap">
              {clock(slot.due, zone)}
              {zone === HERE || clock(slot.due, zone) === clock(slot.due) ? null : (
                <span class="soft small"> ({clock(slot.due)} yours)</span>
              )}
            </th>
            <td class="wide self" data-label="Job">
              <a href={jobHref(slot.job_name)} data-row={slot.run_id === null ? "" : undefined}>
                {slot.job_name}
              </a>
            </td>
            <td class="wide self" data-label="Fate">
              <Status of={stateOfSlot(slot)} />
              {slot.late_seconds !== null && slot.late_seconds >= LATE_SECONDS ? (
                <span class="wait small"> {milliseconds(slot.late_seconds * 1000)} late</span>
              ) : null}
            </td>
            <td data-label="Run">
              {slot.run_id === null ? (
                <span class="soft">none</span>
              ) : (
                <a
                  href={`/console/runs/${slot.run_id}`}
                  data-row
                  aria-label={`Open the run of ${slot.job_name} at ${clock(slot.due, zone)}`}
                >
                  Open
                </a>
              )}
            </td>
          </tr>
        ))}
      </Table>
      {slots.length <= MAX_ROWS ? null : (
        <div class="card-foot stepper">
          <button
            type="button"
            class="button plain"
            disabled={start === 0}
            onClick={() => setStart(Math.max(0, start - MAX_ROWS))}
          >
            Earlier
          </button>
          <span role="status">
            {number(start + 1)} to {number(start + shown.length)} of {number(slots.length)}
          </span>
          <button
            type="button"
            class="button plain"
            disabled={start + MAX_ROWS >= slots.length}
            onClick={() => setStart(start + MAX_ROWS)}
          >
            Later
          </button>
        </div>
      )}
      {isCut ? (
        <p class="card-text small soft">
          Only the first {count(MAX_SLOTS, "due time")} of the day are listed. Choose a job.
        </p>
      ) : null}
    </>
  );
}
