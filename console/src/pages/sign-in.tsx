import { useEffect, useState } from "preact/hooks";
import { useLocation } from "preact-iso/router";
import { client, data } from "../api/client.ts";
import { signIn, signInNotice } from "../store/session.ts";

export function SignIn() {
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const [issuer, setIssuer] = useState<string | null>(null);
  useEffect(() => {
    document.title = "Sign in · Nightmail";
    // Without an answer the token is still a way in.
    data(client.GET("/session")).then(
      ({ oidc }) => setIssuer(oidc),
      () => setIssuer(null),
    );
  }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    await signIn({ token });
    setBusy(false);
  };
  return (
    <main class="sign-in" id="content">
      <form class="card" onSubmit={submit}>
        <h1>Nightmail</h1>
        {signInNotice.value === null ? null : (
          <p class="notice wait" role="alert">
            {signInNotice.value}
          </p>
        )}
        {issuer === null ? null : (
          <>
            <a class="button primary" href={`/session/oidc?next=${encodeURIComponent(here())}`}>
              Sign in with {new URL(issuer).host}
            </a>
            <p class="soft">Or without an account there:</p>
          </>
        )}
        <p class="soft">
          Open the link that <code>nightmail up</code> or <code>nightmail open</code> prints, or sign in with a token.
          An admin makes one for you.
        </p>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button type="submit" class={issuer === null ? "button primary" : "button"} aria-busy={busy}>
          Sign in
        </button>
      </form>
    </main>
  );
}

/** The address of the sign-in once somebody is signed in: it leads to the Overview. */
export function SignedIn() {
  const { route } = useLocation();
  useEffect(() => route("/console/", true), []);
  return <main id="content" tabIndex={-1} />;
}

/** Returns the page that was asked for: the sign-in stands in its place. */
function here(): string {
  return location.pathname + location.search;
}
