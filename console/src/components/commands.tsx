import { useState } from "preact/hooks";
import { commandLine } from "../words/command.ts";
import { Button } from "./button.tsx";
import { Copy } from "./copy.tsx";
import { Dialog, DialogClose } from "./dialog.tsx";

/** What a command does, and the words behind `nightmail`. */
export type Command = [does: string, ...words: string[]];

/** The commands that do on a terminal what the page does, to be copied into a script. */
export function Commands({ of }: { of: Command[] }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onAct={() => setOpen(true)}>Commands…</Button>
      {isOpen ? (
        <Dialog title="On a terminal" onClose={() => setOpen(false)}>
          <ul class="commands">
            {of.map(([does, ...words]) => {
              const line = commandLine(...words);
              return (
                <li key={does}>
                  <span class="small soft">{does}</span>
                  <div class="beside">
                    <pre class="output">{line}</pre>
                    <Copy text={line} noun="the command" label={`Copy: ${does}`} />
                  </div>
                </li>
              );
            })}
          </ul>
          <p class="soft small">
            From another machine, <code>nightmail login</code> comes first.
          </p>
          <DialogClose />
        </Dialog>
      ) : null}
    </>
  );
}
