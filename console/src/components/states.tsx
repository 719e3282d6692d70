// What a page shows instead of its data, and above it: loading, empty, failed, behind.
import type { ComponentChildren } from "preact";
import type { ApiError } from "../api/client.ts";
import type { Resource } from "../store/resource.ts";
import { sentenceEnd } from "../words/format.ts";
import { Icon } from "./icon.tsx";

interface LoadedProperties<T> {
  of: Resource<T>;
  /** What is shown until the data is there, such as the same rows in another order. */
  before?: T | undefined;
  children: (data: T) => ComponentChildren;
}

/** Shows data once it is there; until then a quiet placeholder, or what went wrong. Old data stays below an error. */
export function Loaded<T>({ of, before, children }: LoadedProperties<T>) {
  const data = of.data.value === undefined ? before : of.data.value; // null is data: what is not known
  const error = of.error.value;
  return (
    <>
      {error === undefined ? null : (
        <Failure error={error} retry={() => of.reload()} hasData={data !== undefined} isRetried />
      )}
      {data === undefined ? error === undefined && <Placeholder /> : children(data)}
    </>
  );
}

function Placeholder() {
  return (
    <div class="placeholder" role="status">
      <span class="visually-hidden">Loading</span>
      <i />
      <i />
      <i />
    </div>
  );
}

interface FailureProperties {
  error: ApiError;
  retry: () => void;
  /** Whether older data stays below. */
  hasData?: boolean;
  /** Whether the page asks again by itself. */
  isRetried?: boolean;
}

export function Failure({ error, retry, hasData = false, isRetried = false }: FailureProperties) {
  const { title, detail } = explain(error, hasData, isRetried);
  return (
    <div class={`notice ${error.status === 503 || error.status === 0 ? "wait" : "bad"}`} role="alert">
      <Icon name="warn" />
      <p>
        <strong>{title}</strong> {detail}
      </p>
      {error.status === 404 || error.status === 403 ? null : (
        <button type="button" class="button plain" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

function explain(error: ApiError, hasData: boolean, isRetried: boolean): { title: string; detail: string } {
  const old = hasData ? " What you see is from before." : "";
  if (error.status === 0) {
    return { title: "Nightmail does not answer.", detail: `${isRetried ? "Trying again." : ""}${old}` };
  }
  if (error.status === 503 && error.message.startsWith("catching up")) {
    return { title: "This list is behind.", detail: `The read model is ${error.message}.${old}` };
  }
  if (error.status === 503) {
    const detail = `Nothing is lost; nothing can be changed until it is back.${old}`;
    return { title: `${capital(error.message)}.`, detail };
  }
  if (error.status === 404) return { title: "Nothing here.", detail: `${capital(error.message)}.` };
  if (error.status === 403) return { title: "You may not see this.", detail: `${capital(error.message)}.` };
  const fields = error.fields.map(({ field, detail }) => `${field}: ${detail}`).join("; ");
  return { title: "This did not work.", detail: sentenceEnd(fields || error.message) };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children === undefined ? null : <div class="soft prose">{children}</div>}
    </div>
  );
}
