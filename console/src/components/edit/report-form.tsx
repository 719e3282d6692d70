import { useState } from "preact/hooks";
import type { FieldError } from "../../api/client.ts";
import { type Definition, same } from "../../store/draft.ts";
import { errorsOf, Field } from "./field.tsx";

interface Properties {
  definition: Definition;
  errors: FieldError[];
  onChange: (change: Partial<Definition>) => void;
}

/** Who gets the report. */
export function RecipientsForm({ definition, errors, onChange }: Properties) {
  // What is typed stays as it is typed; the draft has its addresses at each key.
  const [typed, setTyped] = useState("");
  const text = same(addresses(typed), definition.consumer_emails) ? typed : definition.consumer_emails.join(", ");
  return (
    <div class="form">
      <Field
        label="Recipients"
        hint="Addresses with a comma or a line between them."
        errors={errorsOf(errors, "consumer_emails")}
      >
        {(attributes) => (
          <textarea
            {...attributes}
            rows={2}
            spellcheck={false}
            value={text}
            onInput={(event) => {
              setTyped(event.currentTarget.value);
              onChange({ consumer_emails: addresses(event.currentTarget.value) });
            }}
          />
        )}
      </Field>
      <Field label="Subject" hint="Without one: the job's name and the day." errors={errorsOf(errors, "subject")}>
        {(attributes) => (
          <input
            {...attributes}
            value={definition.subject ?? ""}
            onInput={(event) => onChange({ subject: event.currentTarget.value || null })}
          />
        )}
      </Field>
    </div>
  );
}

function addresses(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
}

/** How the report is made and sent; the defaults suit most. */
export function OptionsForm({ definition, errors, onChange }: Properties) {
  const choice = <Name extends "when_empty" | "when_unchanged" | "on_missed" | "overlap">(
    name: Name,
    label: string,
    words: readonly (readonly [NonNullable<Definition[Name]>, string])[],
  ) => (
    <Field label={label} errors={errorsOf(errors, name)}>
      {(attributes) => (
        <select
          {...attributes}
          value={definition[name] ?? words[0]?.[0]}
          onChange={(event) => onChange({ [name]: event.currentTarget.value } as Partial<Definition>)}
        >
          {words.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
  return (
    <div class="form">
      <Field label="Description" errors={errorsOf(errors, "description")}>
        {(attributes) => (
          <input
            {...attributes}
            value={definition.description ?? ""}
            onInput={(event) => onChange({ description: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label="Message above the table" hint="Markdown." errors={errorsOf(errors, "message")}>
        {(attributes) => (
          <textarea
            {...attributes}
            rows={3}
            value={definition.message ?? ""}
            onInput={(event) => onChange({ message: event.currentTarget.value })}
          />
        )}
      </Field>
      <fieldset class="choices">
        <legend>Attached as</legend>
        {(["csv", "xlsx"] as const).map((format) => {
          const chosen = definition.attachments ?? ["csv"];
          return (
            <label key={format} class="check">
              <input
                type="checkbox"
                checked={chosen.includes(format)}
                onChange={(event) =>
                  onChange({
                    attachments: event.currentTarget.checked
                      ? [...chosen, format]
                      : chosen.filter((one) => one !== format),
                  })
                }
              />
              {format}
            </label>
          );
        })}
      </fieldset>
      {choice("when_empty", "A result without rows", [
        ["send", "is mailed"],
        ["skip", "is not mailed"],
      ])}
      {choice("when_unchanged", "A result like the last one", [
        ["send", "is mailed"],
        ["skip", "is not mailed"],
      ])}
      {choice("on_missed", "A missed due time", [
        ["run_once", "runs once, late"],
        ["skip", "is skipped"],
      ])}
      {choice("overlap", "While a run goes on", [
        ["skip", "no other starts by schedule"],
        ["allow", "another may start"],
      ])}
      <Field label="Tries after a failure" errors={errorsOf(errors, "retries")}>
        {(attributes) => (
          <input
            {...attributes}
            type="number"
            min={0}
            max={10}
            value={definition.retries ?? 0}
            onInput={(event) => onChange({ retries: Number(event.currentTarget.value) })}
          />
        )}
      </Field>
    </div>
  );
}
