// The filters of a list live in its address, so that a link to it shows the same rows.
import { useEffect, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { HERE, zoneName } from "../words/format.ts";

/** Returns how to change the filters of the page: an empty value removes one. */
export function useFilters<Name extends string>(names: readonly Name[]) {
  const { path, query, route } = useLocation();
  const current = Object.fromEntries(names.map((name) => [name, query[name] || undefined])) as Record<
    Name,
    string | undefined
  >;
  const set = (change: Partial<Record<Name, string>>) => {
    const wanted = Object.entries({ ...current, ...change }).filter(([, value]) => value) as [string, string][];
    const search = new URLSearchParams(wanted).toString();
    route(`${path}${search && `?${search}`}`, true);
  };
  const isFiltered = names.some((name) => current[name] !== undefined);
  return { current, set, isFiltered, clear: () => route(path, true) };
}

interface TextProperties {
  label: string;
  value: string | undefined;
  onSet: (value: string) => void;
}

/** A filter that is set on Enter, or when the field is left. What is typed until then stays whatever else the page draws again. */
export function TextFilter({ label, value = "", onSet }: TextProperties) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={label}
      value={typed}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onChange={(event) => onSet(event.currentTarget.value.trim())}
    />
  );
}

/** A moment, shown in the reader's zone. The address has it in UTC, so that a link means the same moment to everybody. */
export function TimeFilter({ label, value, onSet }: TextProperties) {
  const set = (local: string) => {
    // A year that is still being typed is one of the first centuries.
    if (local === "" || local >= "1970") onSet(local === "" ? "" : new Date(local).toISOString());
  };
  return (
    <label class="time-filter">
      {label} <span class="soft small">({zoneName(HERE)})</span>
      <input
        type="datetime-local"
        aria-label={`${label} (${zoneName(HERE)})`}
        value={value === undefined ? "" : localTime(value)}
        onChange={(event) => set(event.currentTarget.value)}
      />
    </label>
  );
}

/** Returns a time as `datetime-local` has it, in the reader's zone; empty if the text is no time. */
function localTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return "";
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, local.getSeconds() === 0 ? 16 : 19);
}

interface ChoiceProperties {
  label: string;
  value: string | undefined;
  /** Values and their words; the empty value is the default. */
  choices: readonly (readonly [string, string])[];
  onSet: (value: string) => void;
}

export function ChoiceFilter({ label, value, choices, onSet }: ChoiceProperties) {
  return (
    <select aria-label={label} value={value ?? ""} onChange={(event) => onSet(event.currentTarget.value)}>
      {choices.map(([one, word]) => (
        <option key={one} value={one}>
          {word}
        </option>
      ))}
    </select>
  );
}

export function ClearFilters({ filters }: { filters: { isFiltered: boolean; clear: () => void } }) {
  if (!filters.isFiltered) return null;
  return (
    <button type="button" class="button plain" onClick={filters.clear}>
      Clear filters
    </button>
  );
}
