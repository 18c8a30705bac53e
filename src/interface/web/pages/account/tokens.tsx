/** Tokens for programs: made, shown once, taken back. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { answer, DELETE, POST } from "../../api/client.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Field } from "../../parts/field.tsx";
import { PasswordAgain } from "../../parts/password-again.tsx";
import { faultOf, Problem } from "../../parts/problem.tsx";
import { useRemovals } from "../../parts/removal.ts";
import { type Token, TokenItem } from "../../parts/token-item.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { accountKey } from "./account-key.ts";

const SCOPES = ["read", "domains", "publish", "keys", "admin"] as const;
type Scope = (typeof SCOPES)[number];

export function Tokens({
  tokens,
  hasPassword,
}: {
  readonly tokens: readonly Token[];
  readonly hasPassword: boolean;
}) {
  const { account: t, removal } = useTexts();
  const client = useQueryClient();
  const again = () => client.invalidateQueries({ queryKey: accountKey });
  const make = useMutation({
    mutationFn: (body: { label: string; scopes: Scope[]; expiresAt?: string; password?: string }) =>
      answer(POST("/api/account/tokens", { body })),
    onSuccess: again,
  });
  const { isRemoved, remove } = useRemovals(
    (id) => answer(DELETE("/api/account/tokens/{id}", { params: { path: { id } }, keepalive: true })),
    again,
  );
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const until = String(data.get("expires") ?? "");
    make.mutate(
      {
        label: String(data.get("label")),
        scopes: SCOPES.filter((scope) => data.get(scope) !== null),
        ...(hasPassword && { password: String(data.get("password")) }),
        ...(until && { expiresAt: new Date(`${until}T23:59:59`).toISOString() }),
      },
      { onSuccess: () => form.reset() },
    );
  };
  return (
    <section className="card account-part">
      <h2>{t.tokens}</h2>
      <p className="hint">{t.tokensHint}</p>
      {make.data && (
        <div className="note note-ok">
          <p>{t.tokenOnce}</p>
          <p className="copyable">
            <code className="secret">{make.data.secret}</code>{" "}
            <CopyButton text={make.data.secret} what={t.token} />
          </p>
        </div>
      )}
      <ul className="things">
        {tokens
          .filter(({ id }) => !isRemoved(id))
          .map((token) => (
            <TokenItem
              key={token.id}
              token={token}
              onRemove={() => remove(token.id, removal.thing(token.label))}
            />
          ))}
      </ul>
      <form onSubmit={submit}>
        <Field label={t.tokenLabel} name="label" required maxLength={100} />
        <fieldset>
          <legend>{t.scopes}</legend>
          {SCOPES.map((scope) => (
            <label key={scope} className="check">
              <input type="checkbox" name={scope} defaultChecked={scope === "read"} />
              {t.scope[scope]}
            </label>
          ))}
        </fieldset>
        <Field label={t.expiry} name="expires" type="date" />
        {hasPassword && <PasswordAgain error={make.error} />}
        {!faultOf(make.error, "password") && <Problem error={make.error} />}
        <button type="submit" disabled={make.isPending}>
          {t.makeToken}
        </button>
      </form>
    </section>
  );
}
