// The lines that differ between two texts: the longest common subsequence stays, as in diff(1).

export interface Line {
  kind: "same" | "added" | "removed" | "cut";
  text: string;
}

/** Unchanged lines that are shown around a change, as in diff -U2. */
const CONTEXT = 2;
/** A larger table of the subsequence takes too long; then every line between the common ends counts as changed. */
const MAX_CELLS = 4_000_000;

/** Returns all lines of both texts in order: same, removed or added. */
export function diffLines(before: string, after: string): Line[] {
  const old = before.split("\n");
  const fresh = after.split("\n");
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < fresh.length - start && old.at(-1 - end) === fresh.at(-1 - end)) end += 1;
  const same = (lines: string[]): Line[] => lines.map((text) => ({ kind: "same", text }));
  return [
    ...same(old.slice(0, start)),
    ...diffMiddle(old.slice(start, old.length - end), fresh.slice(start, fresh.length - end)),
    ...same(old.slice(old.length - end)),
  ];
}

function diffMiddle(old: string[], fresh: string[]): Line[] {
  const removed = (text: string): Line => ({ kind: "removed", text });
  const added = (text: string): Line => ({ kind: "added", text });
  if (old.length * fresh.length > MAX_CELLS) return [...old.map(removed), ...fresh.map(added)];
  const width = fresh.length + 1;
  // The length of the common subsequence behind each pair of lines.
  const common = new Uint32Array((old.length + 1) * width);
  const at = (one: number, other: number) => common[one * width + other] ?? 0;
  for (let one = old.length - 1; one >= 0; one -= 1) {
    for (let other = fresh.length - 1; other >= 0; other -= 1) {
      common[one * width + other] =
        old[one] === fresh[other] ? at(one + 1, other + 1) + 1 : Math.max(at(one + 1, other), at(one, other + 1));
    }
  }
  const lines: Line[] = [];
  let one = 0;
  let other = 0;
  while (one < old.length || other < fresh.length) {
    const gone = old[one];
    const come = fresh[other];
    if (gone !== undefined && gone === come) {
      lines.push({ kind: "same", text: gone });
      one += 1;
      other += 1;
    } else if (come === undefined || (gone !== undefined && at(one + 1, other) >= at(one, other + 1))) {
      lines.push(removed(gone ?? ""));
      one += 1;
    } else {
      lines.push(added(come));
      other += 1;
    }
  }
  return lines;
}

/** Returns the changed lines with their context; a `cut` stands for the unchanged lines between them. */
export function withContext(lines: Line[]): Line[] {
  const isNear = (index: number) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ kind }) => kind !== "same");
  const shown: Line[] = [];
  lines.forEach((line, index) => {
    if (isNear(index)) shown.push(line);
    else if (shown.at(-1)?.kind !== "cut") shown.push({ kind: "cut", text: "" });
  });
  return shown;
}
