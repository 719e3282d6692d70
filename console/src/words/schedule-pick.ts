// The schedules that are picked from lists instead of written as cron's five fields.

/** How often, at what time of day (`HH:MM`; of an hour, only its minute counts). */
export interface Pick {
  often: "hour" | "day" | "weekdays" | "week" | "month";
  time: string;
  /** Of `week`: 0 is Sunday, as in cron. Of `month`: 1 to 28, which each month has. Unused otherwise. */
  day: number;
}

export const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
/** Later days are not in each month, and a report that is due on them is not made in the others. */
export const LAST_COMMON_DAY = 28;

const FIELDS = /^(\d{1,2}) (\d{1,2}|\*) (\d{1,2}|\*) \* (\d|\*|1-5)$/;

/** Returns what a line of a schedule says if the lists can say it; null if only the line itself can. */
export function pickOf(line: string): Pick | null {
  const text = line.trim().replaceAll(/\s+/g, " ");
  if (/^([01]\d|2[0-3]):[0-5]\d$/.test(text)) return { often: "day", time: text, day: 1 };
  const [, minute, hour, day, weekday] = FIELDS.exec(text) ?? [];
  if (minute === undefined || hour === undefined || day === undefined || weekday === undefined) return null;
  if (Number(minute) > 59 || (hour !== "*" && Number(hour) > 23)) return null;
  const time = `${hour === "*" ? "00" : hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  if (hour === "*") return day === "*" && weekday === "*" ? { often: "hour", time, day: 1 } : null;
  if (day !== "*") {
    const isCommon = Number(day) >= 1 && Number(day) <= LAST_COMMON_DAY;
    return weekday === "*" && isCommon ? { often: "month", time, day: Number(day) } : null;
  }
  if (weekday === "*") return { often: "day", time, day: 1 };
  if (weekday === "1-5") return { often: "weekdays", time, day: 1 };
  return Number(weekday) <= 7 ? { often: "week", time, day: Number(weekday) % 7 } : null;
}

/** Returns the line of a schedule that says what was picked. */
export function lineOfPick({ often, time, day }: Pick): string {
  const [hour = "0", minute = "0"] = time.split(":").map((part) => `${Number(part)}`);
  switch (often) {
    case "hour":
      return `${minute} * * * *`;
    case "day":
      return time;
    case "weekdays":
      return `${minute} ${hour} * * 1-5`;
    case "week":
      return `${minute} ${hour} * * ${day}`;
    case "month":
      return `${minute} ${hour} ${day} * *`;
  }
}
