import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

interface Properties {
  /** The title of the page and of the browser's tab. */
  title: string;
  above?: ComponentChildren;
  actions?: ComponentChildren;
  /** The state in one sentence, before any number. */
  sentence?: ComponentChildren;
  children: ComponentChildren;
}

/** The frame of every page: where it is, its title, the sentence, what one can do, and the content. */
export function Page({ title, above, actions, sentence, children }: Properties) {
  useEffect(() => {
    document.title = title === "Overview" ? "Nightmail" : `${title} · Nightmail`;
  }, [title]);
  return (
    <main id="content" tabIndex={-1}>
      <div class="head">
        <div class="head-text">
          {above === undefined ? null : <p class="above small">{above}</p>}
          <h1>{title}</h1>
        </div>
        {actions === undefined ? null : <div class="actions">{actions}</div>}
      </div>
      {sentence === undefined ? null : <p class="sentence">{sentence}</p>}
      {children}
    </main>
  );
}

export function Card({
  title,
  aside,
  children,
  id,
}: {
  title?: ComponentChildren;
  aside?: ComponentChildren;
  children: ComponentChildren;
  id?: string;
}) {
  return (
    <section class="card" id={id}>
      {title === undefined ? null : (
        <div class="card-head">
          <h2>{title}</h2>
          {aside === undefined ? null : <div class="card-aside small">{aside}</div>}
        </div>
      )}
      {children}
    </section>
  );
}
