// The usual schedules without cron: how often, on which day, and at what time.
import { LAST_COMMON_DAY, lineOfPick, type Pick, pickOf, WEEKDAYS } from "../../words/schedule-pick.ts";

const OFTEN: [Pick["often"], string][] = [
  ["hour", "Every hour"],
  ["day", "Every day"],
  ["weekdays", "Weekdays"],
  ["week", "Every week"],
  ["month", "Every month"],
];
/** A report is usually read in the morning. */
const FIRST: Pick = { often: "day", time: "06:30", day: 1 };

interface Properties {
  line: string;
  onChange: (line: string) => void;
}

/** Shows a schedule as lists and a time, and writes it. One that only cron can say is shown as such, and stays as it is. */
export function SchedulePicker({ line, onChange }: Properties) {
  const pick = pickOf(line);
  const shown = pick ?? FIRST;
  const set = (change: Partial<Pick>) => onChange(lineOfPick({ ...shown, ...change }));
  return (
    <div class="schedule-picker">
      <select
        aria-label="How often"
        value={pick?.often ?? ""}
        onChange={({ currentTarget }) => {
          const often = OFTEN.find(([one]) => one === currentTarget.value)?.[0];
          if (often !== undefined) set({ often, day: 1 });
        }}
      >
        {pick === null ? <option value="">{line.trim() === "" ? "Choose…" : "As written below"}</option> : null}
        {OFTEN.map(([often, words]) => (
          <option key={often} value={often}>
            {words}
          </option>
        ))}
      </select>
      {pick?.often === "week" ? (
        <>
          <span>on</span>
          <select
            aria-label="Day of the week"
            value={`${pick.day}`}
            onChange={(event) => set({ day: Number(event.currentTarget.value) })}
          >
            {[1, 2, 3, 4, 5, 6, 0].map((day) => (
              <option key={day} value={`${day}`}>
                {WEEKDAYS[day]}
              </option>
            ))}
          </select>
        </>
      ) : null}
      {pick?.often === "month" ? (
        <>
          <span>on day</span>
          <select
            aria-label="Day of the month"
            value={`${pick.day}`}
            onChange={(event) => set({ day: Number(event.currentTarget.value) })}
          >
            {Array.from({ length: LAST_COMMON_DAY }, (_, before) => before + 1).map((day) => (
              <option key={day} value={`${day}`}>
                {day}
              </option>
            ))}
          </select>
        </>
      ) : null}
      {pick === null ? null : (
        <>
          <span>{pick.often === "hour" ? "at minute" : "at"}</span>
          {pick.often === "hour" ? (
            <input
              type="number"
              aria-label="Minute"
              min={0}
              max={59}
              value={Number(pick.time.slice(3))}
              onInput={({ currentTarget }) => {
                if (currentTarget.value !== "" && currentTarget.validity.valid)
                  set({ time: `00:${currentTarget.value.padStart(2, "0")}` });
              }}
            />
          ) : (
            <input
              type="time"
              aria-label="Time of day"
              value={pick.time}
              onInput={({ currentTarget }) => {
                if (currentTarget.value !== "") set({ time: currentTarget.value.slice(0, 5) });
              }}
            />
          )}
        </>
      )}
    </div>
  );
}
