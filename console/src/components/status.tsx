import type { ComponentChildren } from "preact";
import { STATES, type State } from "../words/status.ts";
import { Icon } from "./icon.tsx";

/** A state as icon, word and colour. Children follow the word. */
export function Status({ of, children }: { of: State; children?: ComponentChildren }) {
  const { icon, word, tone } = STATES[of];
  return (
    <span class={`status ${tone}`}>
      <Icon name={icon} />
      <span>
        {word}
        {children}
      </span>
    </span>
  );
}

/** The fates of a job's last runs, oldest first. A failure is taller, so that no colour is needed to see it. */
export function Strip({ fates }: { fates: State[] }) {
  const label =
    fates.length === 0
      ? "no runs yet"
      : `last runs, oldest first: ${fates.map((fate) => STATES[fate].word).join(", ")}`;
  return (
    <svg class="strip" viewBox="0 0 96 20" width="96" height="20" role="img" aria-label={label}>
      {fates.slice(-12).map((fate, index) => {
        const { tone } = STATES[fate];
        const height = tone === "bad" ? 20 : tone === "ok" ? 12 : 6;
        return (
          <rect key={index} class={`bar ${tone}`} x={index * 8} y={20 - height} width="6" height={height} rx="1" />
        );
      })}
    </svg>
  );
}
