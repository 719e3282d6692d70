import type { ComponentChildren } from "preact";
import { WEEKDAYS, weeksOf } from "../words/calendar.ts";

interface Properties {
  /** Midnight of the first day of the month in UTC, in milliseconds since 1970. */
  first: number;
  caption: ComponentChildren;
  class?: string;
  /** Draws the cell of a day of the month, `2026-11-25`. */
  cell: (day: string, date: number) => ComponentChildren;
}

/** A month as a table of weeks from Monday. */
export function MonthTable({ first, caption, class: name, cell }: Properties) {
  const month = new Date(first).toISOString().slice(0, 7);
  return (
    <table class={name}>
      {caption}
      <thead>
        <tr>
          {WEEKDAYS.map((weekday) => (
            <th key={weekday} scope="col">
              {weekday}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeksOf(first).map((week, row) => (
          <tr key={row}>
            {week.map((date, weekday) =>
              date === null ? <td key={weekday} /> : cell(`${month}-${String(date).padStart(2, "0")}`, date),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
