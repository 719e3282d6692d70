// The past and the coming 24 hours of all jobs on one axis, in bins of half an hour.
import type { Fate, Slot } from "../api/client.ts";
import { clock, count, HERE, moment, zoneName } from "../words/format.ts";
import { STATES, type State, stateOfSlot } from "../words/status.ts";
import { Table } from "./table.tsx";

const HOUR = 3_600_000;
const BIN = HOUR / 2;
const BINS = 96;
const HEIGHT = 56;
const BAD: ReadonlySet<Fate> = new Set(["failed", "undelivered"]);
const AMISS: ReadonlySet<Fate> = new Set(["missed", "skipped"]);

interface Bin {
  start: number;
  slots: Slot[];
}

export function Axis({ slots, now }: { slots: Slot[]; now: number }) {
  // Bins keep their borders while time passes; the line of the present moves.
  const start = Math.floor((now - 24 * HOUR) / BIN) * BIN;
  const bins: Bin[] = Array.from({ length: BINS + 1 }, (_, index) => ({ start: start + index * BIN, slots: [] }));
  for (const slot of slots) bins[Math.floor((Date.parse(slot.due) - start) / BIN)]?.slots.push(slot);
  const most = Math.max(1, ...bins.map((bin) => bin.slots.length));
  const present = (now - start) / BIN;
  return (
    <figure class="axis">
      <svg
        viewBox={`0 0 ${BINS + 1} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={describe(slots, now)}
      >
        {bins.map((bin, index) => (
          <Bar key={bin.start} bin={bin} index={index} most={most} />
        ))}
        <line class="now" x1={present} x2={present} y1="0" y2={HEIGHT} />
      </svg>
      <div class="axis-hours small soft" aria-hidden="true">
        <span class="axis-now" style={{ insetInlineStart: place(present / (BINS + 1)) }}>
          now
        </span>
        {hours(start).map(({ at, word }) => (
          <span
            key={at}
            class={/^(06|18)/.test(word) || Math.abs(at - now) < 6 * HOUR ? "minor" : undefined}
            style={{ insetInlineStart: place((at - start) / BIN / (BINS + 1)) }}
          >
            {word}
          </span>
        ))}
      </div>
      <details class="small">
        <summary>
          As a table <span class="soft">({zoneName(HERE)} time)</span>
        </summary>
        <AxisTable bins={bins} />
      </details>
    </figure>
  );
}

/** Returns the full hours that the axis names: every sixth, but not the present one. */
function hours(start: number): { at: number; word: string }[] {
  const found = Array.from({ length: BINS }, (_, index) => start + index * BIN).map((at) => ({
    at,
    word: clock(new Date(at)),
  }));
  const isNamed = ({ at, word }: { at: number; word: string }) =>
    /^(00|06|12|18):00$/.test(word) && Math.abs(at - start - 24 * HOUR) > 2 * HOUR;
  return found.filter(isNamed);
}

/** Returns where a word stands along the axis, never so near to an end that it would be cut off there. */
function place(share: number): string {
  return `clamp(1.375rem, ${(share * 100).toFixed(2)}%, 100% - 1.375rem)`;
}

function Bar({ bin, index, most }: { bin: Bin; index: number; most: number }) {
  const total = bin.slots.length;
  if (total === 0) return <rect class="base" x={index + 0.15} y={HEIGHT - 2} width="0.7" height="2" />;
  const bad = bin.slots.filter((slot) => BAD.has(slot.fate)).length;
  const amiss = bin.slots.filter((slot) => AMISS.has(slot.fate)).length;
  const due = bin.slots.filter((slot) => slot.fate === "due").length;
  const height = 10 + 30 * Math.sqrt(total / most);
  const tone = bad > 0 ? "bad" : amiss > 0 ? "wait" : due === total ? "due" : due > 0 ? "night" : "ok";
  return (
    <rect
      class={`bar ${tone}`}
      x={index + 0.12}
      width="0.76"
      y={HEIGHT - (bad > 0 ? HEIGHT : height)}
      height={bad > 0 ? HEIGHT : height}
    >
      <title>{`${moment(new Date(bin.start))}–${clock(new Date(bin.start + BIN))}: ${tally(bin.slots)}`}</title>
    </rect>
  );
}

function AxisTable({ bins }: { bins: Bin[] }) {
  return (
    <Table columns={["From", "Due times"]}>
      {bins
        .filter((bin) => bin.slots.length > 0)
        .map((bin) => (
          <tr key={bin.start}>
            <td class="nowrap">{moment(new Date(bin.start))}</td>
            <td>{tally(bin.slots)}</td>
          </tr>
        ))}
    </Table>
  );
}

/** Returns how many due times have each state: `3 delivered, 1 failed`. */
export function tally(slots: Slot[]): string {
  const counts = new Map<State, number>();
  for (const state of slots.map(stateOfSlot)) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, many]) => `${many} ${STATES[state].word}`).join(", ");
}

function describe(slots: Slot[], now: number): string {
  const past = slots.filter((slot) => Date.parse(slot.due) < now);
  const coming = count(slots.length - past.length, "due time");
  return `The past 24 hours: ${past.length === 0 ? "nothing was due" : tally(past)}. The next 24 hours: ${coming}.`;
}
