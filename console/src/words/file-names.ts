/** Returns `sales-2.csv` for `sales.csv`, or the next number that no file has. */
export function freeName(path: string, taken: ReadonlySet<string>): string {
  const [, stem = path, ending = ""] = path.match(/^(.+?)(\.[^.]*)?$/) ?? [];
  let number = 2;
  while (taken.has(`${stem}-${number}${ending}`)) number += 1;
  return `${stem}-${number}${ending}`;
}
