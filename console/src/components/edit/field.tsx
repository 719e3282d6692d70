// One field of a form: label, control, hint, and what the API says is wrong with it.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { FieldError } from "../../api/client.ts";

interface Properties {
  label: string;
  hint?: ComponentChildren;
  errors: FieldError[];
  children: (attributes: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => ComponentChildren;
}

export function Field({ label, hint, errors, children }: Properties) {
  const id = useId();
  const about = `${id}-about`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": about, "aria-invalid": errors.length > 0 })}
      <div id={about} class="small">
        {errors.map((error) => (
          <p key={error.detail} class="bad">
            {error.detail}
            {error.hint ? <span class="soft"> {error.hint}</span> : null}
          </p>
        ))}
        {hint === undefined ? null : <p class="soft">{hint}</p>}
      </div>
    </div>
  );
}

/** Errors of fields that have no control of their own here. */
export function FieldErrors({ errors }: { errors: FieldError[] }) {
  if (errors.length === 0) return null;
  return (
    <ul class="notice bad" role="alert">
      {errors.map((error) => (
        <li key={error.field}>
          <strong>{error.field}</strong>: {error.detail}
          {error.hint ? <span class="soft"> {error.hint}</span> : null}
        </li>
      ))}
    </ul>
  );
}

/** Returns the errors of a field and of everything inside it: `data_source` has those of `data_source.location`. */
export function errorsOf(errors: FieldError[], field: string): FieldError[] {
  return errors.filter((error) => error.field === field || error.field.startsWith(`${field}.`));
}
