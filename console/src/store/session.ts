// Who is signed in, and what the role permits.
import { computed, signal } from "@preact/signals";
import { ApiError, client, data, type Me, whenSessionEnds } from "../api/client.ts";
import { hasDrafts } from "./draft.ts";

export type Permission = Me["may"][number];

/** undefined: not known yet; null: nobody. */
export const me = signal<Me | null | undefined>(undefined);
/** Why it is not known who is signed in, if the API cannot say. */
export const bootProblem = signal<ApiError | null>(null);
/** Why the sign-in page is shown, if there is something to say. */
export const signInNotice = signal<string | null>(null);

/** How soon the API is asked again while it does not answer. */
const RETRY_MS = 2_000;

const mine = computed(() => new Set<Permission>(me.value?.may ?? []));

const ROLE_OF: Record<Permission, string> = { read: "viewer", edit: "editor", administer: "admin" };

export function may(permission: Permission): boolean {
  return mine.value.has(permission);
}

/** Returns why the caller may not do it. */
export function reasonAgainst(permission: Permission): string {
  const looking = permission === "edit" ? "You may look. " : "";
  return `${looking}This needs the role ${ROLE_OF[permission]}; ask an admin.`;
}

whenSessionEnds(() => {
  if (me.value) {
    const kept = hasDrafts(me.value.name) ? " Your draft is kept." : "";
    signInNotice.value = `Your session has ended.${kept} Sign in again to go on where you were.`;
  }
  me.value = null;
});

/** What became of a sign-in at the issuer, by the word in the address. */
const ISSUER_FAILURES: Record<string, string> = {
  expired: "The sign-in was too old, or begun in another window. Try again.",
  refused: "The issuer did not sign you in.",
  "no-role": "You are signed in at the issuer, but have no role here. Ask an admin for viewer, editor or admin.",
  unreachable: "The issuer does not answer at the moment.",
  failed: "The issuer's answer was not valid. An admin finds the reason in the API's log (sign_in_failed).",
};

/** Signs in with the code of the address, if it has one, and finds out who the session belongs to. */
export async function openSession(): Promise<void> {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const failure = ISSUER_FAILURES[fragment.get("sign-in") ?? ""];
  if (failure !== undefined) {
    history.replaceState(history.state, "", location.pathname + location.search);
    signInNotice.value = failure;
    me.value = null;
    return;
  }
  const code = fragment.get("start");
  if (code !== null) {
    // The code is used up by the request, and must not stay in the history.
    history.replaceState(history.state, "", location.pathname + location.search);
    if (await signIn({ code })) return;
  }
  try {
    me.value = await data(client.GET("/me"));
    signInNotice.value = null;
    bootProblem.value = null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) me.value = null;
    else {
      bootProblem.value = error;
      setTimeout(() => void openSession(), RETRY_MS);
    }
  }
}

export async function signIn(credential: { code: string } | { token: string }): Promise<boolean> {
  try {
    const begun = await data(client.POST("/session", { body: credential as { token: string } }));
    // Browsers drop a Secure cookie over plain HTTP: only the next request shows whether they kept it.
    me.value = await data(client.GET("/me")).catch(() => null);
    signInNotice.value = me.value
      ? null
      : `Signed in as ${begun.name}, but the browser kept no cookie. Open the console over https, or on 127.0.0.1.`;
    return me.value !== null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    signInNotice.value = sentence(error.message);
    return false;
  }
}

export async function signOut(): Promise<void> {
  await data(client.DELETE("/session"));
  signInNotice.value = null;
  me.value = null;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
