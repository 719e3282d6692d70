// Somebody else saved the job while it was edited: what both sides changed, and which one stays.
import { useState } from "preact/hooks";
import type { Job } from "../../api/client.ts";
import { type Definition, definitionOf, merge } from "../../store/draft.ts";
import { Button } from "../button.tsx";
import { Card } from "../page.tsx";

interface Properties {
  base: Definition;
  mine: Definition;
  theirs: Job;
  /** Who saved that version. */
  by: string;
  onMerged: (definition: Definition) => Promise<void>;
  onTakeTheirs: () => void;
}

export function Conflict({ base, mine, theirs, by, onMerged, onTakeTheirs }: Properties) {
  const other = definitionOf(theirs);
  const { merged, conflicts, theirs: taken } = merge(base, mine, other);
  const [kept, setKept] = useState<ReadonlySet<string>>(new Set(conflicts));
  const result: Definition = {
    ...merged,
    ...Object.fromEntries(conflicts.filter((name) => !kept.has(name)).map((name) => [name, other[name]])),
  };
  const toggle = (name: string, isMine: boolean) =>
    setKept((before) => new Set(isMine ? [...before, name] : [...before].filter((one) => one !== name)));
  return (
    <Card title={`${by} saved version ${theirs.version} while you were editing`}>
      <div class="card-text conflict">
        {taken.length === 0 ? null : (
          <p>
            Only there changed, and taken over: <strong>{taken.map(words).join(", ")}</strong>.
          </p>
        )}
        {conflicts.length === 0 ? <p>Nothing that you changed was changed there.</p> : null}
        {conflicts.map((name) => (
          <fieldset key={name}>
            <legend>{words(name)}</legend>
            <div class="columns">
              {[true, false].map((isMine) => (
                <label key={String(isMine)}>
                  <span class="check">
                    <input
                      type="radio"
                      name={`keep-${name}`}
                      checked={kept.has(name) === isMine}
                      onChange={() => toggle(name, isMine)}
                    />
                    {isMine ? "Yours" : "Theirs"}
                  </span>
                  <pre class="output">{shown(isMine ? mine[name] : other[name])}</pre>
                </label>
              ))}
            </div>
          </fieldset>
        ))}
        <div class="actions">
          <Button kind="primary" need="edit" onAct={() => onMerged(result)}>
            Save the merged job
          </Button>
          <Button onAct={onTakeTheirs}>Drop my changes</Button>
        </div>
      </div>
    </Card>
  );
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null, null, 2);
}
