// How a file is read: the options that the notes and errors of reading name.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { FieldError } from "../../api/client.ts";
import { type Source, same } from "../../store/draft.ts";
import { errorsOf, Field } from "./field.tsx";

type FileType = NonNullable<Source["file_type"]>;
type Attributes = Parameters<Parameters<typeof Field>[0]["children"]>[0];

const TEXT_TABLES: FileType[] = ["csv", "tsv"];
const TEXTS: FileType[] = [...TEXT_TABLES, "json", "jsonl"];

/** Which options go with which file types, in the order of the form. */
const OPTIONS = {
  sheet: ["xlsx"],
  records_path: ["json"],
  delimiter: ["csv"],
  decimal: TEXT_TABLES,
  thousands: TEXT_TABLES,
  skip_rows: [...TEXT_TABLES, "xlsx"],
  comment: TEXT_TABLES,
  encoding: TEXTS,
  na_values: [...TEXTS, "xlsx"],
  types: [...TEXTS, "xlsx"],
} as const satisfies Partial<Record<keyof Source, readonly FileType[]>>;

type Option = keyof typeof OPTIONS;

const DELIMITERS = [
  ["", "found in the data"],
  [",", "comma"],
  [";", "semicolon"],
  ["\t", "tab"],
  ["|", "vertical bar"],
] as const;
const DECIMALS = [
  [".", "point, as in 1234.5"],
  [",", "comma, as in 1234,5"],
] as const;
const THOUSANDS = [
  ["", "none"],
  [",", "comma, as in 1,234"],
  [".", "point, as in 1.234"],
  [" ", "space, as in 1 234"],
  ["'", "apostrophe, as in 1'234"],
  ["_", "underscore, as in 1_234"],
] as const;

/** Returns the options that go with a source's file type. */
export function optionsOf({ source_type, file_type }: Source): Option[] {
  if (source_type === "sql") return [];
  const wanted = file_type ?? "csv";
  return (Object.keys(OPTIONS) as Option[]).filter((name) => (OPTIONS[name] as readonly FileType[]).includes(wanted));
}

/** Returns a source with another file type, without the options that do not go with it: the API refuses those. */
export function withFileType(source: Source, file_type: FileType): Source {
  const next = { ...source, file_type };
  const kept = new Set<string>(optionsOf(next));
  const fields = Object.entries(next).filter(([name]) => !(name in OPTIONS) || kept.has(name));
  return Object.fromEntries(fields) as Source;
}

function isSet(source: Source, name: Option): boolean {
  const value = source[name];
  if (value == null || value === 0 || value === "" || (name === "decimal" && value === ".")) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

interface Properties {
  source: Source;
  errors: FieldError[];
  onChange: (change: Partial<Source>) => void;
}

export function ReadingOptions({ source, errors, onChange }: Properties) {
  const names = optionsOf(source);
  const mine = names.flatMap((name) => errorsOf(errors, `data_source.${name}`));
  const [wasOpen] = useState(() => names.some((name) => isSet(source, name)));
  if (names.length === 0) return null;
  const chosen = names.filter((name) => isSet(source, name)).length;
  const field = (
    name: Option,
    label: string,
    control: (attributes: Attributes) => ComponentChildren,
    hint?: ComponentChildren,
  ) =>
    names.includes(name) ? (
      <Field
        label={label.toLowerCase().includes(name) ? label : `${label} (${name})`}
        hint={hint}
        errors={errorsOf(errors, `data_source.${name}`)}
      >
        {control}
      </Field>
    ) : null;
  const text = (name: "sheet" | "records_path" | "comment" | "encoding") => (attributes: Attributes) => (
    <input
      {...attributes}
      spellcheck={false}
      value={source[name] ?? ""}
      onInput={(event) => onChange({ [name]: event.currentTarget.value || null })}
    />
  );
  const choice =
    (name: "delimiter" | "decimal" | "thousands", words: readonly (readonly [string, string])[]) =>
    (attributes: Attributes) => {
      const value = source[name] ?? words[0]?.[0] ?? "";
      // A job that was written elsewhere may have a mark that no list has.
      const all = words.some(([mark]) => mark === value) ? words : [...words, [value, `“${value}”`] as const];
      return (
        <select
          {...attributes}
          value={value}
          onChange={(event) => onChange({ [name]: event.currentTarget.value || null } as Partial<Source>)}
        >
          {all.map(([mark, word]) => (
            <option key={mark} value={mark}>
              {word}
            </option>
          ))}
        </select>
      );
    };
  return (
    <details class="options" open={wasOpen || mine.length > 0}>
      <summary>
        Reading options <span class="soft small">{chosen === 0 ? "" : `${chosen} set`}</span>
      </summary>
      <div class="form two-columns">
        {field("sheet", "Sheet", text("sheet"), "Without one: the first visible sheet.")}
        {field("records_path", "Path of the records", text("records_path"), "As in data.rows.")}
        {field("delimiter", "Delimiter", choice("delimiter", DELIMITERS))}
        {field("decimal", "Decimal mark", choice("decimal", DECIMALS))}
        {field("thousands", "Thousands mark", choice("thousands", THOUSANDS))}
        {field("skip_rows", "Lines above the header", (attributes) => (
          <input
            {...attributes}
            type="number"
            min={0}
            value={source.skip_rows ?? 0}
            onInput={(event) => onChange({ skip_rows: Number(event.currentTarget.value) })}
          />
        ))}
        {field("comment", "Mark of comment lines", text("comment"), "As in #.")}
        {field("encoding", "Encoding", text("encoding"), "As in cp1252. Without one: found in the data.")}
        {field(
          "na_values",
          "Words for a missing value",
          (attributes) => (
            <Lines
              attributes={attributes}
              value={source.na_values ?? []}
              parse={(lines) => lines}
              write={(value) => value}
              onChange={(na_values) => onChange({ na_values })}
            />
          ),
          "One a line, as in n/a.",
        )}
        {field(
          "types",
          "Column types",
          (attributes) => (
            <Lines
              attributes={attributes}
              value={source.types ?? {}}
              parse={readTypes}
              write={(types) => Object.entries(types).map(([column, type]) => `${column}: ${type}`)}
              onChange={(types) => onChange({ types: Object.keys(types).length === 0 ? null : types })}
            />
          ),
          "One a line, as in zip: text, or due: date.",
        )}
      </div>
      <p class="card-text small soft">Try reads the data with them.</p>
    </details>
  );
}

type Types = NonNullable<Source["types"]>;

/** A line without a type stays one, so that the API says what is wrong with it. */
function readTypes(lines: string[]): Types {
  const pairs = lines.map((line) => {
    const at = line.lastIndexOf(":");
    return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return Object.fromEntries(pairs) as Types;
}

interface LinesProperties<Value> {
  attributes: Attributes;
  value: Value;
  parse: (lines: string[]) => Value;
  write: (value: Value) => string[];
  onChange: (value: Value) => void;
}

/** A value of several lines. What is typed stays as it is typed; the draft has what it means at each key. */
function Lines<Value>({ attributes, value, parse, write, onChange }: LinesProperties<Value>) {
  const meaning = (text: string) => parse(text.split("\n").filter((line) => line.trim() !== ""));
  const [typed, setTyped] = useState("");
  const shown = same(meaning(typed), value) ? typed : write(value).join("\n");
  return (
    <textarea
      {...attributes}
      rows={2}
      spellcheck={false}
      value={shown}
      onInput={(event) => {
        setTyped(event.currentTarget.value);
        onChange(meaning(event.currentTarget.value));
      }}
    />
  );
}
