/** A script with line numbers. The marked line carries the error; all text is text. */
export function Script({ text, line, message }: { text: string; line?: number | null; message?: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a long line scrolls, also by keyboard
    <section class="script" aria-label="Script" tabIndex={0}>
      <ol>
        {text.split("\n").map((content, index) => {
          const isMarked = index + 1 === line;
          return (
            <li key={index} class={isMarked ? "marked" : undefined} aria-current={isMarked ? "true" : undefined}>
              <code>{content || " "}</code>
              {isMarked && message !== undefined ? <p class="script-error">{message}</p> : null}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
