/** Returns at most `limit` records of a CSV (RFC 4180), the header first. */
export function parseCsv(text: string, limit: number): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let field = "";
  let quoted = false;
  const body = text.startsWith("\ufeff") ? text.slice(1) : text;
  for (let at = 0; at < body.length && records.length < limit; at++) {
    const char = body[at] as string;
    if (quoted) {
      if (char !== '"') field += char;
      else if (body[at + 1] === '"') {
        field += '"';
        at++;
      } else quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === ",") {
      record.push(field);
      field = "";
    } else if (char === "\n") {
      records.push([...record, field]);
      record = [];
      field = "";
    } else if (char !== "\r") field += char;
  }
  if (records.length < limit && (record.length > 0 || field !== "")) records.push([...record, field]);
  return records;
}
