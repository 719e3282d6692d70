// Numbers, times and durations in words. Times name their zone; a second zone appears only where it differs.
const NUMBER = new Intl.NumberFormat("en");

export const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function number(value: number): string {
  return NUMBER.format(value);
}

export function count(value: number, noun: string, plural = `${noun}s`): string {
  return `${number(value)} ${value === 1 ? noun : plural}`;
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  const power = Math.min(3, Math.floor(Math.log10(value) / 3));
  return `${(value / 1000 ** power).toFixed(1)} ${["B", "KB", "MB", "GB"][power]}`;
}

export function milliseconds(value: number): string {
  if (value < 1000) return `${Math.round(value)} ms`;
  if (value < 60_000) return `${(value / 1000).toFixed(1)} s`;
  const seconds = Math.round(value / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${number(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

const UNITS = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
] as const;

/** Returns a number of seconds in its largest units: `1 day`, `1 hour 30 minutes`. */
export function duration(seconds: number): string {
  let rest = seconds;
  const words = UNITS.flatMap(([size, unit]) => {
    const many = size === 1 ? rest : Math.floor(rest / size);
    rest -= many * size;
    return many === 0 ? [] : [count(many, unit)];
  });
  return words.join(" ") || "0 seconds";
}

/** Returns the name of a zone as people say it: `Paris` for `Europe/Paris`. */
export function zoneName(zone: string): string {
  return zone.split("/").at(-1)?.replaceAll("_", " ") ?? zone;
}

/** A sentence about an error is read at a glance; the whole message is with the script. */
const MAX_SENTENCE_CHARS = 300;

/** Returns the first line of a message as the end of a sentence, with one full stop. */
export function sentenceEnd(message: string): string {
  const [first = ""] = message.split("\n");
  if (first.length > MAX_SENTENCE_CHARS) return `${first.slice(0, MAX_SENTENCE_CHARS).trimEnd()}…`;
  return /[.?!…]$/.test(first) ? first : `${first}.`;
}

const formats = new Map<string, Intl.DateTimeFormat>();
const isoFormats = new Map<string, Intl.DateTimeFormat>();

function parts(time: Date, zone: string): Record<string, string> {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      weekday: "short",
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    });
    formats.set(zone, format);
  }
  return Object.fromEntries(format.formatToParts(time).map((part) => [part.type, part.value]));
}

/** Returns a time of day, `09:00`, in a zone. */
export function clock(time: string | Date, zone: string = HERE): string {
  const { hour, minute } = parts(new Date(time), zone);
  return `${hour}:${minute}`;
}

/** Returns a time of day with seconds. */
export function exactClock(time: string | Date, zone: string = HERE): string {
  const { hour, minute, second } = parts(new Date(time), zone);
  return `${hour}:${minute}:${second}`;
}

/** Returns the day of a time in a zone, `2026-11-25`. */
export function isoDay(time: string | number | Date, zone: string = HERE): string {
  let format = isoFormats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
    isoFormats.set(zone, format);
  }
  return format.format(new Date(time));
}

/** Returns a day, `Wed 25 Nov`, with the year if it is not this one. */
export function day(time: string | Date, zone: string = HERE): string {
  const { weekday, day: date, month, year } = parts(new Date(time), zone);
  const thisYear = parts(new Date(), zone).year;
  return `${weekday} ${date} ${month}${year === thisYear ? "" : ` ${year}`}`;
}

const DAY_MS = 86_400_000;
/** Names of days by their distance from this one. */
const NEAR_DAYS = new Map([
  [-1, "yesterday"],
  [0, "today"],
  [1, "tomorrow"],
]);

/** Returns a day and time of day, as `today 09:00`, `tomorrow 09:00` or `Wed 25 Nov 09:00`. */
export function moment(time: string | Date, zone: string = HERE): string {
  // Between dates: a day of a clock change has 23 or 25 hours.
  const distance = (Date.parse(isoDay(time, zone)) - Date.parse(isoDay(Date.now(), zone))) / DAY_MS;
  return `${NEAR_DAYS.get(distance) ?? day(time, zone)} ${clock(time, zone)}`;
}

/** Returns a moment with seconds, where several within a minute are listed. */
export function exactMoment(time: string | Date, zone: string = HERE): string {
  return `${moment(time, zone)}${exactClock(time, zone).slice(5)}`;
}

/** Returns a moment in a job's zone, and in the reader's where it differs: `tomorrow 09:00 Paris (08:00 yours)`. */
export function momentInZone(time: string | Date, zone: string): string {
  const theirs = `${moment(time, zone)} ${zoneName(zone)}`;
  if (moment(time, zone) === moment(time, HERE)) return theirs;
  const sameDay = day(time, zone) === day(time, HERE);
  return `${theirs} (${sameDay ? clock(time) : moment(time)} yours)`;
}

/** Returns a moment in the reader's zone, which it names: `today 09:00 Paris`. */
export function momentHere(time: string | Date): string {
  return `${moment(time)} ${zoneName(HERE)}`;
}

/** Returns how far a time is away within the hour, as `in 4 min`; otherwise undefined. */
export function soon(time: string | Date, now: number): string | undefined {
  const seconds = Math.round((new Date(time).getTime() - now) / 1000);
  if (Math.abs(seconds) >= 3600) return undefined;
  if (seconds >= 0) return seconds < 60 ? "within a minute" : `in ${Math.floor(seconds / 60)} min`;
  return seconds > -60 ? "just now" : `${Math.floor(-seconds / 60)} min ago`;
}
