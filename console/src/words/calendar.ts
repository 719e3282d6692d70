// Days of a year and of a zone. A day is its ISO date, `2026-11-25`.
import { isoDay } from "./format.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** No zone is further from UTC than this. */
const FARTHEST = 15 * HOUR;

export const WEEKDAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/** Returns the day that is so many days later. */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);
}

/** Returns a day in words, `Wednesday 25 November 2026`. */
export function dayInWords(day: string): string {
  const options = { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" } as const;
  return new Date(day).toLocaleDateString("en-GB", options).replace(",", "");
}

/** Says whether the text is a day of the Gregorian calendar. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && addDays(text, 0) === text;
}

/** Returns the weeks of a month, from Monday, as dates of the month; null where a day is of another month. */
export function weeksOf(first: number): (number | null)[][] {
  const start = new Date(first);
  const days = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 0)).getUTCDate();
  const lead = (start.getUTCDay() + 6) % 7;
  return Array.from({ length: Math.ceil((lead + days) / 7) }, (_, week) =>
    Array.from({ length: 7 }, (_, weekday) => {
      const date = week * 7 + weekday - lead + 1;
      return date >= 1 && date <= days ? date : null;
    }),
  );
}

/** Returns the first moment of a day in a zone, which is not always midnight, in milliseconds since 1970. */
export function dayStart(day: string, zone: string): number {
  let before = Date.parse(day) - FARTHEST;
  let after = Date.parse(day) + FARTHEST;
  while (after - before > MINUTE) {
    const middle = before + Math.floor((after - before) / 2 / MINUTE) * MINUTE;
    if (isoDay(middle, zone) >= day) after = middle;
    else before = middle;
  }
  return after;
}

/** Returns how many hours a day has in a zone: 24, or less or more where the clocks change. */
export function hoursOf(day: string, zone: string): number {
  return (dayStart(addDays(day, 1), zone) - dayStart(day, zone)) / HOUR;
}

/** Returns the days of a year on which the clocks of a zone change, with the hours that they have. */
export function clockChanges(year: number, zone: string): Map<string, number> {
  const starts = Array.from({ length: 14 }, (_, month) =>
    new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10),
  );
  const found = new Map<string, number>();
  // Between two changes the days begin at one distance from UTC; only a month that changes it is read day by day.
  const distance = (day: string) => dayStart(day, zone) - Date.parse(day);
  for (let month = 0; month < 12; month += 1) {
    const [first, next] = [starts[month] as string, starts[month + 1] as string];
    if (distance(first) === distance(next)) continue;
    for (let day = first; day < next; day = addDays(day, 1)) {
      const hours = hoursOf(day, zone);
      if (hours !== 24) found.set(day, hours);
    }
  }
  return found;
}
