/** A number as a CSV has it; the separator of decimals may be a comma. */
const NUMBER = /^[-+]?\d+([.,]\d+)?(e[-+]?\d+)?$/i;

/** Says of each column of texts whether it holds numbers, and nothing else but missing values. */
export function numberColumns(columns: number, rows: readonly (readonly string[])[]): boolean[] {
  return Array.from({ length: columns }, (_, at) => {
    const cells = rows.map((row) => row[at] ?? "").filter((cell) => cell !== "");
    return cells.length > 0 && cells.every((cell) => NUMBER.test(cell));
  });
}
