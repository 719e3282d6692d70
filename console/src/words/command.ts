/** Returns a line for a shell that runs `nightmail` with these words, each of which reaches it as it is. */
export function commandLine(...words: readonly string[]): string {
  return ["nightmail", ...words.map(quoted)].join(" ");
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
