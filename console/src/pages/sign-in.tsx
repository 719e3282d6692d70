import { useEffect, useState } from "preact/hooks";
import { signIn, signInNotice } from "../store/session.ts";

export function SignIn() {
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = "Sign in · Nightmail";
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
        <p class="soft">
          Open the link that <code>nightmail up</code> or <code>nightmail open</code> prints, or sign in with a token.
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
        <button type="submit" class="button primary" aria-busy={busy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
