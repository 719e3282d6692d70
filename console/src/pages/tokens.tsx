// Who may use Nightmail: tokens with a name and a role. A token itself is shown once, when it is made.
import { useLayoutEffect, useState } from "preact/hooks";
import { ApiError, client, data, type FieldError, type Schemas } from "../api/client.ts";
import { Button } from "../components/button.tsx";
import { Copy } from "../components/copy.tsx";
import { Dialog } from "../components/dialog.tsx";
import { errorsOf, Field } from "../components/edit/field.tsx";
import { Card, Page } from "../components/page.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { ACTIONS, Table } from "../components/table.tsx";
import { type Resource, useResource } from "../store/resource.ts";
import { may, me, reasonAgainst } from "../store/session.ts";
import { show } from "../store/toast.ts";
import { momentHere } from "../words/format.ts";

type Token = Schemas["Token"];
type Role = Token["role"];

const ROLES: [Role, string][] = [
  ["viewer", "viewer: may look"],
  ["editor", "editor: may also make, change and run jobs"],
  ["admin", "admin: may also erase jobs and manage tokens"],
];
const LIVES: [string, string][] = [
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "a year"],
  ["", "for ever"],
];
const DAY_MS = 86_400_000;

export function TokensPage() {
  const above = <a href="/console/system">System</a>;
  if (!may("administer")) {
    return (
      <Page title="Tokens" above={above}>
        <Card>
          <Empty title="Tokens are for admins.">{reasonAgainst("administer")}</Empty>
        </Card>
      </Page>
    );
  }
  return (
    <Page
      title="Tokens"
      above={above}
      sentence="Each person and each program has a token of its own, so that the log says who did what, and one can be revoked alone."
    >
      <Manage />
    </Page>
  );
}

function Manage() {
  const tokens = useResource("tokens", async (signal) => (await data(client.GET("/tokens", { signal }))).items);
  return (
    <>
      <NewToken onMade={() => tokens.reload()} />
      <Card title="Tokens">
        <Loaded of={tokens}>
          {(all) =>
            all.length === 0 ? (
              <Empty title="No tokens yet.">Only the admin's token of the settings exists.</Empty>
            ) : (
              <TokenTable all={all} tokens={tokens} />
            )
          }
        </Loaded>
      </Card>
    </>
  );
}

function NewToken({ onMade }: { onMade: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState("90");
  const [errors, setErrors] = useState<FieldError[]>([]);
  const [made, setMade] = useState<Schemas["TokenCreated"] | null>(null);
  const make = async () => {
    setErrors([]);
    const expires_at = days === "" ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString();
    try {
      setMade(await data(client.POST("/tokens", { body: { name, role, expires_at } })));
      setName("");
      onMade();
    } catch (error) {
      if (!(error instanceof ApiError) || error.fields.length === 0) throw error;
      setErrors(error.fields);
    }
  };
  return (
    <Card title="New token">
      <div class="form in-a-row">
        <Field label="Name" hint="A person or a program: ann, dashboard." errors={errorsOf(errors, "name")}>
          {(attributes) => (
            <input
              {...attributes}
              autocomplete="off"
              spellcheck={false}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label="Role" errors={errorsOf(errors, "role")}>
          {(attributes) => (
            <select {...attributes} value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
              {ROLES.map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Valid" errors={errorsOf(errors, "expires_at")}>
          {(attributes) => (
            <select {...attributes} value={days} onChange={(event) => setDays(event.currentTarget.value)}>
              {LIVES.map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Button kind="primary" onAct={make} unless={name === "" ? "Type a name first." : undefined}>
          Make token
        </Button>
      </div>
      {made === null ? null : <Made made={made} onClose={() => setMade(null)} />}
    </Card>
  );
}

function Made({ made, onClose }: { made: Schemas["TokenCreated"]; onClose: () => void }) {
  return (
    <Dialog title={`The token of ${made.name}`} onClose={onClose}>
      <p>This is the only time that it is shown. Anybody who has it may do what the role {made.role} permits.</p>
      <pre class="output token">{made.token}</pre>
      <div class="dialog-actions">
        <Copy text={made.token} noun="the token" />
        <button type="button" class="button primary" onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}

function TokenTable({ all, tokens }: { all: Token[]; tokens: Resource<Token[]> }) {
  const [leaving, setLeaving] = useState<Token | null>(null);
  // The row of a revoked token goes with its button, which had the focus.
  useLayoutEffect(() => {
    if (document.activeElement === document.body) document.getElementById("content")?.focus();
  }, [all.length]);
  const revoke = async (token: Token) => {
    await data(client.DELETE("/tokens/{name}", { params: { path: { name: token.name } } }));
    setLeaving(null);
    show(`Revoked the token of “${token.name}”.`);
    tokens.reload();
  };
  return (
    <>
      <Table class="rows" caption="Tokens by name" columns={["Name", "Role", "Made", "Expires", ACTIONS]}>
        {all.map((token) => (
          <tr key={token.name}>
            <th scope="row">
              {token.name} {token.name === me.value?.name ? <span class="soft small">(you)</span> : null}
            </th>
            <td data-label="Role">{token.role}</td>
            <td data-label="Made">
              {momentHere(token.created_at)} <span class="soft">by {token.created_by}</span>
            </td>
            <td data-label="Expires" class={isOver(token) ? "bad" : undefined}>
              {token.expires_at === null ? "never" : momentHere(token.expires_at)}
              {isOver(token) ? ", it has expired" : ""}
            </td>
            <td class="row-actions">
              <Button label={`Revoke the token of ${token.name}`} onAct={() => setLeaving(token)}>
                Revoke…
              </Button>
            </td>
          </tr>
        ))}
      </Table>
      {leaving === null ? null : (
        <Dialog title={`Revoke the token of “${leaving.name}”?`} onClose={() => setLeaving(null)}>
          <p>Every replica refuses it at once, and its sessions end. This cannot be undone.</p>
          <div class="dialog-actions">
            <button type="button" class="button plain" onClick={() => setLeaving(null)}>
              Keep it
            </button>
            <Button kind="danger" onAct={() => revoke(leaving)}>
              Revoke
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function isOver({ expires_at }: Token): boolean {
  return expires_at !== null && new Date(expires_at).getTime() < Date.now();
}
