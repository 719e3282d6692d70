import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, client, data, type FieldError } from "../../api/client.ts";
import type { Source } from "../../store/draft.ts";
import { useResource } from "../../store/resource.ts";
import { may } from "../../store/session.ts";
import { bytes } from "../../words/format.ts";
import { FILE_TYPES, uploadFile } from "./begin.ts";
import { errorsOf, Field, FieldErrors } from "./field.tsx";
import { useNameTaken } from "./name-taken.tsx";
import { optionsOf, ReadingOptions, withFileType } from "./reading-options.tsx";

const KINDS = [
  ["file", "An uploaded file"],
  ["api", "A web address"],
  ["sql", "A database query"],
] as const;

interface Properties {
  source: Source;
  errors: FieldError[];
  /** Changes the source as it is by then: a file may be uploaded for a long time. */
  onChange: (change: (source: Source) => Source) => void;
}

/** Where the data comes from. Options that this form does not show stay as they are. */
export function SourceForm({ source, errors, onChange }: Properties) {
  const set = (change: Partial<Source>) =>
    onChange((before) => {
      const next = { ...before, ...change };
      return change.file_type == null ? next : withFileType(next, change.file_type);
    });
  // What was typed for another kind comes back with it.
  const left = useRef<Partial<Record<Source["source_type"], Source>>>({});
  const setKind = (kind: Source["source_type"]) =>
    onChange((before) => {
      left.current[before.source_type] = before;
      const fresh = { source_type: kind, location: "" } as Source;
      return (
        left.current[kind] ?? (kind === "sql" ? { ...fresh, query: "SELECT 1 AS one" } : { ...fresh, file_type: "csv" })
      );
    });
  const ofField = (name: string) => errorsOf(errors, `data_source.${name}`);
  const shown = new Set(["location", "query", "file_type", ...optionsOf(source)].flatMap(ofField));
  const others = errorsOf(errors, "data_source").filter((error) => !shown.has(error));
  return (
    <>
      <div class="form">
        <fieldset class="choices">
          <legend>Data</legend>
          {KINDS.map(([kind, words]) => (
            <label key={kind} class="check">
              <input
                type="radio"
                name="source-type"
                checked={source.source_type === kind}
                onChange={() => setKind(kind)}
              />
              {words}
            </label>
          ))}
        </fieldset>
        {source.source_type === "file" ? (
          <FileChoice source={source} errors={ofField("location")} onChange={set} />
        ) : (
          <Field
            label={source.source_type === "api" ? "Address" : "Connection"}
            hint={
              source.source_type === "api"
                ? undefined
                : "The name of a database that your administrator has set up. Ask which there are."
            }
            errors={ofField("location")}
          >
            {(attributes) => (
              <input
                {...attributes}
                inputMode={source.source_type === "api" ? "url" : "text"}
                spellcheck={false}
                value={source.location}
                onInput={(event) => set({ location: event.currentTarget.value })}
              />
            )}
          </Field>
        )}
        {source.source_type === "sql" ? (
          <Field label="Query" errors={ofField("query")}>
            {(attributes) => (
              <textarea
                {...attributes}
                class="mono"
                rows={4}
                spellcheck={false}
                value={source.query ?? ""}
                onInput={(event) => set({ query: event.currentTarget.value })}
              />
            )}
          </Field>
        ) : (
          <Field label="File type" errors={ofField("file_type")}>
            {(attributes) => (
              <select
                {...attributes}
                value={source.file_type ?? "csv"}
                onChange={(event) => set({ file_type: event.currentTarget.value as NonNullable<Source["file_type"]> })}
              >
                {FILE_TYPES.map((type) => (
                  <option key={type} value={type}>
                    {type}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <FieldErrors errors={others} />
      </div>
      <ReadingOptions source={source} errors={errors} onChange={set} />
    </>
  );
}

/** A file that was uploaded before, or one from this device, which is uploaded now. */
function FileChoice({
  source,
  errors,
  onChange,
}: {
  source: Source;
  errors: FieldError[];
  onChange: (change: Partial<Source>) => void;
}) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [ask, question] = useNameTaken();
  const files = useResource("files", (signal) => data(client.GET("/files", { signal })));
  const isHere = useRef(true);
  useEffect(
    () => () => {
      isHere.current = false;
    },
    [],
  );
  const upload = async (file: File) => {
    setBusy(true);
    setProblem(null);
    try {
      const stored = await uploadFile(file, ask);
      if (stored === null) return;
      files.reload();
      // The data may be a web address by now.
      if (isHere.current) onChange(stored);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(`The file was not uploaded: ${error.fields[0]?.detail ?? error.message}`);
    } finally {
      setBusy(false);
    }
  };
  const known = files.data.value?.items ?? [];
  return (
    <Field
      label="File"
      hint={
        busy
          ? "Uploading…"
          : "Choose an uploaded file, or upload one. Of a file that your administrator put on the server, type the path."
      }
      errors={problem === null ? errors : [...errors, { field: "file", detail: problem }]}
    >
      {(attributes) => (
        <span class="beside">
          <input
            {...attributes}
            list="uploaded-files"
            spellcheck={false}
            value={source.location}
            onInput={(event) => onChange({ location: event.currentTarget.value })}
          />
          <datalist id="uploaded-files">
            {known.map((file) => (
              <option key={file.path} value={file.path}>
                {bytes(file.size)}
              </option>
            ))}
          </datalist>
          <label class="button plain upload">
            Upload…
            <input
              type="file"
              class="visually-hidden"
              disabled={!may("edit") || busy}
              onChange={(event) => {
                const [file] = event.currentTarget.files ?? [];
                event.currentTarget.value = "";
                if (file !== undefined) void upload(file);
              }}
            />
          </label>
          {question}
        </span>
      )}
    </Field>
  );
}
