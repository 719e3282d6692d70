// The question before an upload whose name another stored file has: other reports may read that file.
import { type ComponentChild, Fragment } from "preact";
import { useState } from "preact/hooks";
import { Dialog } from "../dialog.tsx";
import type { NameTaken, UploadChoice } from "./begin.ts";

interface Question {
  taken: NameTaken;
  answer: (choice: UploadChoice | null) => void;
}

/** Returns how to ask, and the dialog while it is open. Closing it is the answer null. */
export function useNameTaken(): [(taken: NameTaken) => Promise<UploadChoice | null>, ComponentChild] {
  const [question, setQuestion] = useState<Question | null>(null);
  const ask = (taken: NameTaken) =>
    new Promise<UploadChoice | null>((resolve) => {
      const answer = (choice: UploadChoice | null) => {
        setQuestion(null);
        resolve(choice);
      };
      setQuestion({ taken, answer });
    });
  return [ask, question === null ? null : <Choices {...question} />];
}

const SHOWN_READERS = 10;

/** Says whose data a replacement changes. */
function Readers({ names }: { names: string[] }) {
  if (names.length === 0) return <>No report reads it now.</>;
  const more = names.length - SHOWN_READERS;
  return (
    <>
      {names.length === 1 ? "The report that reads it gets" : "The reports that read it get"} your data from the next
      run on:{" "}
      {names.slice(0, SHOWN_READERS).map((name, index) => (
        <Fragment key={name}>
          {index === 0 ? "" : ", "}
          <strong>{name}</strong>
        </Fragment>
      ))}
      {more > 0 ? ` and ${more} more` : ""}.
    </>
  );
}

function Choices({ taken: { path, free, readers }, answer }: Question) {
  const choices: [UploadChoice, string, ComponentChild][] = [
    ["keep both", "Keep both", `Your file is stored as ${free}, and this report reads that one.`],
    ["use stored", `Use the ${path} that is there`, "Your file is not uploaded."],
    ["replace", "Replace it", <Readers key="readers" names={readers} />],
  ];
  return (
    <Dialog title={`${path} is there already`} onClose={() => answer(null)}>
      <p>The file that is stored under this name has other data than yours.</p>
      <dl class="upload-choices">
        {choices.map(([choice, word, effect], index) => (
          <Fragment key={choice}>
            <dt>
              <button
                type="button"
                class={`button ${choice === "replace" ? "danger" : index === 0 ? "primary" : "plain"}`}
                aria-describedby={`upload-choice-${index}`}
                onClick={() => answer(choice)}
              >
                {word}
              </button>
            </dt>
            <dd id={`upload-choice-${index}`} class="small">
              {effect}
            </dd>
          </Fragment>
        ))}
      </dl>
      <div class="dialog-actions">
        <button type="button" class="button plain" onClick={() => answer(null)}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
