import { show } from "../store/toast.ts";
import { Button } from "./button.tsx";

interface Properties {
  text: string;
  /** What is copied: `the command`. */
  noun: string;
  /** The button's word. */
  word?: string;
  /** Names the button where several have the same word. */
  label?: string;
}

/** Copies a text. Browsers permit that over HTTPS and on this machine only; elsewhere the button says so. */
export function Copy({ text, noun, word = "Copy", label }: Properties) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      show(`Copied ${noun}.`, "ok");
    } catch {
      show(`This browser does not let the page copy ${noun}: select it, and copy it by hand.`, "bad");
    }
  };
  const unless = window.isSecureContext ? undefined : "Browsers copy over HTTPS only: select the text instead.";
  return (
    <Button onAct={copy} unless={unless} {...(label === undefined ? {} : { label })}>
      {word}
    </Button>
  );
}
