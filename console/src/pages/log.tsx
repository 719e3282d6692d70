import { useState } from "preact/hooks";
import { client, data } from "../api/client.ts";
import { Button } from "../components/button.tsx";
import { Copy } from "../components/copy.tsx";
import { ChoiceFilter, ClearFilters, TextFilter, useFilters } from "../components/filters.tsx";
import { jobHref } from "../components/job-table.tsx";
import { ListCard, type Page as ListPage, MAX_ROWS, useList } from "../components/list.tsx";
import { Page } from "../components/page.tsx";
import { Empty } from "../components/states.tsx";
import type { LogEvent } from "../store/events.ts";
import { commandLine } from "../words/command.ts";
import { describeEvent, EVENT_TYPES, type EventQuery } from "../words/events.ts";
import { day, exactClock, HERE, number, zoneName } from "../words/format.ts";

const NAMES = ["type", "job", "actor", "before"] as const;
type Filter = Record<(typeof NAMES)[number], string | undefined>;

function matches(event: LogEvent, filter: Filter): boolean {
  return (
    (!filter.type || event.type === filter.type) &&
    (!filter.job || event.job_name === filter.job) &&
    (!filter.actor || event.data.actor === filter.actor)
  );
}

/** Larger than any sequence, and exact as a JavaScript number. */
const NEWEST = Number.MAX_SAFE_INTEGER;

function queryOf({ type, job, actor }: Filter, limit: number, before: string | undefined): EventQuery {
  const known = EVENT_TYPES.find((one) => one === type);
  return {
    limit,
    before: Number(before) || NEWEST,
    ...(known ? { type: known } : {}),
    ...(job ? { job_name: job } : {}),
    ...(actor ? { actor } : {}),
  };
}

function withNewest(page: ListPage<LogEvent>, event: LogEvent): ListPage<LogEvent> {
  if (event.seq <= (page.items[0]?.seq ?? 0)) return page;
  return { ...page, items: [event, ...page.items].slice(0, MAX_ROWS) };
}

export function LogPage() {
  const filters = useFilters(NAMES);
  const filter = filters.current;
  const [following, setFollowing] = useState(false);
  const list = useList<LogEvent>(
    `log ${JSON.stringify(filter)} ${following}`,
    async ({ limit, cursor = filter.before }, signal) => {
      const query = queryOf(filter, limit, cursor);
      const { items, next_before } = await data(client.GET("/events", { params: { query }, signal }));
      return { items, next_cursor: next_before == null ? null : `${next_before}` };
    },
    following
      ? { grow: (page, event) => (matches(event, filter) ? withNewest(page, event) : page) }
      : {
          added: (event) => (matches(event, filter) && filter.before === undefined ? [`${event.seq}`] : []),
          idOf: ({ seq }) => `${seq}`,
        },
  );
  return (
    <Page
      title="Log"
      sentence={`Every event of the system in its one order, newest first. Times are in ${zoneName(HERE)}.`}
      actions={
        <Button
          kind={following ? "primary" : "plain"}
          onAct={() => setFollowing(!following)}
          unless={filter.before ? "A page of the past does not change." : undefined}
        >
          {following ? "Following" : "Follow"}
        </Button>
      }
    >
      <ListCard
        list={list}
        noun="event"
        filters={
          <>
            <ChoiceFilter
              label="Type"
              value={filter.type}
              choices={[["", "all types"], ...EVENT_TYPES.map((type) => [type, type] as const)]}
              onSet={(value) => filters.set({ type: value })}
            />
            <TextFilter
              label="Job, by its whole name"
              value={filter.job}
              onSet={(value) => filters.set({ job: value })}
            />
            <TextFilter label="Actor" value={filter.actor} onSet={(value) => filters.set({ actor: value })} />
            <ClearFilters filters={filters} />
          </>
        }
        empty={
          <Empty title={filters.isFiltered ? "Nothing matches." : "Nothing has happened yet."}>
            {filters.isFiltered ? "Clear the filters to see every event." : "The first job makes the first event."}
          </Empty>
        }
      >
        <ol class="log">
          {list.items.map((event) => (
            <Entry key={event.seq} event={event} />
          ))}
        </ol>
      </ListCard>
    </Page>
  );
}

function Entry({ event }: { event: LogEvent }) {
  const [open, setOpen] = useState(false);
  const { text, tone } = describeEvent(event);
  return (
    <li>
      <details onToggle={(toggled) => setOpen(toggled.currentTarget.open)}>
        <summary data-row>
          <span class="seq soft">{number(event.seq)}</span>
          <time dateTime={event.time} title={`${day(event.time)} ${event.time}`}>
            <span class="soft small">{day(event.time)}</span> {exactClock(event.time)}
          </time>
          <span class={`type mono ${tone}`}>{event.type}</span>
          <span class="job">{event.job_name}</span>
          <span class="soft what">{text}</span>
        </summary>
        {open ? <Body event={event} /> : null}
      </details>
    </li>
  );
}

function Body({ event }: { event: LogEvent }) {
  const text = JSON.stringify(event, null, 2);
  const like = ["--from-start", "--json", "--type", event.type, "--job", event.job_name];
  return (
    <div class="log-body">
      <div class="actions">
        <a class="button quiet" href={jobHref(event.job_name)}>
          Job
        </a>
        {event.run_id === null ? null : (
          <a class="button quiet" href={`/console/runs/${event.run_id}`}>
            Run
          </a>
        )}
        <Copy text={text} noun="the event" />
        <Copy text={commandLine("events", "tail", ...like)} noun="the command" word="Copy as events tail" />
      </div>
      <pre class="output">{text}</pre>
    </div>
  );
}
