import { useState } from "preact/hooks";
import { client, data } from "../api/client.ts";
import { Button } from "../components/button.tsx";
import { ChoiceFilter, ClearFilters, TextFilter, useFilters } from "../components/filters.tsx";
import { FreshRows, useFresh } from "../components/fresh.tsx";
import { jobHref } from "../components/job-table.tsx";
import { Card, Page } from "../components/page.tsx";
import { type Page as ListPage, MAX_ROWS, PAGE, useMore } from "../components/paging.ts";
import { Empty, Loaded } from "../components/states.tsx";
import type { LogEvent } from "../store/events.ts";
import { useResource } from "../store/resource.ts";
import { show } from "../store/toast.ts";
import { describeEvent, EVENT_TYPES, type EventQuery } from "../words/events.ts";
import { day, exactClock, number } from "../words/format.ts";

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

function queryOf({ type, job, actor }: Filter, before: string | undefined): EventQuery {
  const known = EVENT_TYPES.find((one) => one === type);
  return {
    limit: PAGE,
    before: Number(before) || NEWEST,
    ...(known ? { type: known } : {}),
    ...(job ? { job_name: job } : {}),
    ...(actor ? { actor } : {}),
  };
}

export function LogPage() {
  const filters = useFilters(NAMES);
  const filter = filters.current;
  const [following, setFollowing] = useState(false);
  const key = `log ${JSON.stringify(filter)}`;
  const load = async (signal: AbortSignal | null, before = filter.before): Promise<ListPage<LogEvent>> => {
    const query = queryOf(filter, before);
    const { items, next_before } = await data(client.GET("/events", { params: { query }, signal }));
    return { items, next_cursor: next_before == null ? null : `${next_before}` };
  };
  const events = useResource<ListPage<LogEvent>>(
    `${key} ${following}`,
    (signal) => load(signal),
    following
      ? {
          fold: (page, event) =>
            matches(event, filter) && event.seq > (page.items[0]?.seq ?? 0)
              ? { ...page, items: [event, ...page.items].slice(0, MAX_ROWS) }
              : page,
        }
      : {},
  );
  const more = useMore(events.data.value, (cursor) => load(null, cursor), key);
  const fresh = useFresh(`${key} ${following}`, (event) =>
    !following && matches(event, filter) ? `${event.seq}` : undefined,
  );
  return (
    <Page
      title="Log"
      sentence="Every event of the system in its one order, newest first."
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
      <Card>
        <search class="filters">
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
        </search>
        <FreshRows fresh={fresh} noun="event" onShow={() => events.reload()} />
        <Loaded of={events}>
          {() =>
            more.items.length > 0 ? (
              <ol class="log">
                {more.items.map((event) => (
                  <Entry key={event.seq} event={event} />
                ))}
              </ol>
            ) : (
              <Empty title={filters.isFiltered ? "Nothing matches." : "Nothing has happened yet."}>
                {filters.isFiltered ? "Clear the filters to see every event." : "The first job makes the first event."}
              </Empty>
            )
          }
        </Loaded>
        {more.next === undefined ? null : (
          <div class="card-foot">
            <Button onAct={more.next}>More</Button>
          </div>
        )}
      </Card>
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
  const copy = async (what: string, words: string) => {
    await navigator.clipboard.writeText(what);
    show(words, "ok");
  };
  const command = `nightmail events tail --from-start --json --type ${event.type} --job ${quoted(event.job_name)}`;
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
        <Button onAct={() => copy(text, "Copied the event.")}>Copy</Button>
        <Button onAct={() => copy(command, "Copied the command.")}>Copy as events tail</Button>
      </div>
      <pre class="output">{text}</pre>
    </div>
  );
}

/** Returns a word that a shell takes as it is. */
function quoted(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
