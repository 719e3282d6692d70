import { useEffect, useState } from "preact/hooks";
import { ApiError, client, data, type FieldError, type Schemas } from "../../api/client.ts";
import type { Definition } from "../../store/draft.ts";
import { momentInZone } from "../../words/format.ts";
import { scheduleLines } from "../../words/schedule.ts";
import { errorsOf, Field } from "./field.tsx";
import { SchedulePicker } from "./schedule-picker.tsx";

/** A person who types is not asked about half a word. */
const SETTLE_MS = 300;
const SHOWN = 5;

type Preview = Schemas["SchedulePreview"];

interface Properties {
  definition: Definition;
  errors: FieldError[];
  onChange: (change: Partial<Definition>) => void;
}

/** When the report is made, with the next dates and what daylight saving time does to them. */
export function ScheduleForm({ definition, errors, onChange }: Properties) {
  const lines = scheduleLines(definition);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [problems, setProblems] = useState<FieldError[]>([]);
  const { timezone, calendar } = definition;
  useEffect(() => {
    const request = new AbortController();
    const timer = setTimeout(async () => {
      const query = {
        count: SHOWN,
        schedules: lines,
        ...(timezone ? { timezone } : {}),
        ...(calendar ? { calendar: JSON.stringify(calendar) } : {}),
      };
      try {
        setPreview(await data(client.GET("/schedules/preview", { params: { query }, signal: request.signal })));
        setProblems([]);
      } catch (error) {
        if (!(error instanceof ApiError)) return;
        setPreview(null);
        setProblems(error.fields);
      }
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
      request.abort();
    };
  }, [lines.join("\n"), timezone, JSON.stringify(calendar ?? null)]);
  const ofSchedule = [...errorsOf(errors, "schedule_time"), ...errorsOf(errors, "schedules")];
  const now = problems.filter(({ field }) => field !== "timezone");
  return (
    <div class="form">
      {lines.length > 1 ? null : (
        <SchedulePicker line={lines[0] ?? ""} onChange={(line) => onChange(scheduleFields(line))} />
      )}
      <Field
        label="Schedule"
        hint="A time (09:00, every day), @hourly, @weekly, or five fields of cron; several on several lines."
        errors={now.length > 0 ? now : ofSchedule}
      >
        {(attributes) => (
          <textarea
            {...attributes}
            class="mono"
            rows={Math.max(1, lines.length)}
            spellcheck={false}
            value={lines.join("\n")}
            onInput={(event) => onChange(scheduleFields(event.currentTarget.value))}
          />
        )}
      </Field>
      <Field
        label="Time zone"
        errors={[...problems.filter(({ field }) => field === "timezone"), ...errorsOf(errors, "timezone")].slice(0, 1)}
      >
        {(attributes) => (
          <input
            {...attributes}
            list="timezones"
            spellcheck={false}
            value={timezone ?? "UTC"}
            onInput={(event) => onChange({ timezone: event.currentTarget.value })}
          />
        )}
      </Field>
      <datalist id="timezones">
        {Intl.supportedValuesOf("timeZone").map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
      <div class="due-dates small" role="status">
        {preview === null ? null : (
          <>
            <p>
              <strong>{preview.description}</strong>
            </p>
            <ol>
              {preview.next_runs.map((due) => (
                <li key={due}>{momentInZone(due, preview.timezone)}</li>
              ))}
            </ol>
            {preview.notes.map((note) => (
              <p key={note.text} class="wait">
                {note.text}
              </p>
            ))}
          </>
        )}
      </div>
    </div>
  );
}

/** Returns the fields of a job for the lines of a schedule: one is `schedule_time`, several are `schedules`. */
function scheduleFields(text: string): Partial<Definition> {
  const lines = text.split("\n");
  const [first = "", ...others] = lines;
  return others.length === 0 ? { schedule_time: first, schedules: [] } : { schedule_time: null, schedules: lines };
}
