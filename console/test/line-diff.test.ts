import assert from "node:assert/strict";
import test from "node:test";
import { diffLines, withContext } from "../src/words/line-diff.ts";

const MARKS = { same: " ", added: "+", removed: "-", cut: "~" };

function marked(before: string, after: string): string[] {
  return diffLines(before, after).map(({ kind, text }) => MARKS[kind] + text);
}

test("lines that both texts have stay, the others are removed and added in order", () => {
  assert.deepEqual(marked("a\nb\nc", "a\nB\nc"), [" a", "-b", "+B", " c"]);
  assert.deepEqual(marked("a\nb", "b\na"), ["-a", " b", "+a"]);
  assert.deepEqual(marked("x\nx", "x\nx\nx"), [" x", " x", "+x"]);
  assert.deepEqual(marked("same", "same"), [" same"]);
});

test("both texts can be rebuilt from their difference", () => {
  const before = "a\nb\nc\nd\ne\nb\na";
  const after = "b\nc\na\ne\ne\na\nf";
  const lines = diffLines(before, after);
  const kept = (other: string) => lines.filter(({ kind }) => kind !== other).map(({ text }) => text);
  assert.equal(kept("added").join("\n"), before);
  assert.equal(kept("removed").join("\n"), after);
});

test("a change in a long text is shown with two lines around it", () => {
  const long = Array.from({ length: 20 }, (_, index) => String(index));
  const shown = withContext(diffLines(long.join("\n"), long.with(10, "ten").join("\n")));
  assert.deepEqual(
    shown.map(({ kind, text }) => MARKS[kind] + text),
    ["~", " 8", " 9", "-10", "+ten", " 11", " 12", "~"],
  );
});
