// What became of one mail to one recipient, as icon, word and colour.
import type { Mail } from "../api/client.ts";
import type { Tone } from "../words/status.ts";
import { Icon, type IconName } from "./icon.tsx";

type Outcome = Mail["outcome"];

const OUTCOME_WORDS: Record<Outcome, { icon: IconName; word: string; tone: Tone }> = {
  accepted: { icon: "check", word: "accepted", tone: "ok" },
  refused: { icon: "cross", word: "refused", tone: "bad" },
  bounced: { icon: "cross", word: "bounced", tone: "bad" },
  uncertain: { icon: "half", word: "uncertain", tone: "wait" },
  waiting: { icon: "ring", word: "waiting", tone: "wait" },
};

export const OUTCOMES = Object.keys(OUTCOME_WORDS) as Outcome[];

export function MailOutcome({ of }: { of: Outcome }) {
  const { icon, word, tone } = OUTCOME_WORDS[of];
  return (
    <span class={`status ${tone}`}>
      <Icon name={icon} />
      <span>{word}</span>
    </span>
  );
}

/** Says whether the recipient does not have the mail, and will not get it without a person. */
export function isLost(outcome: Outcome): boolean {
  return outcome === "refused" || outcome === "bounced";
}

/** Returns the page that explains a mail. */
export function explainHref(messageId: string): string {
  return `/console/mail/explain/${encodeURIComponent(messageId.replace(/^<|>$/g, ""))}`;
}
