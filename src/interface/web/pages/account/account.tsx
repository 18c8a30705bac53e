/** One's own account: the ways in, the sessions, the tokens. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { answer, DELETE, GET, POST, PUT } from "../../api/client.ts";
import { addPasskey } from "../../api/passkey.ts";
import { Loading } from "../../parts/busy.tsx";
import { Field } from "../../parts/field.tsx";
import { focusHeading } from "../../parts/focus.ts";
import { Page } from "../../parts/page.tsx";
import { PasswordAgain } from "../../parts/password-again.tsx";
import { faultOf, Problem } from "../../parts/problem.tsx";
import { useRemovals } from "../../parts/removal.ts";
import { tell } from "../../parts/toast.tsx";
import { When } from "../../parts/when.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { accountKey } from "./account-key.ts";
import { Tokens } from "./tokens.tsx";
import { Totp } from "./totp.tsx";
import "../../style/account.css";

export function AccountPage() {
  const { account: t } = useTexts();
  const account = useQuery({
    queryKey: accountKey,
    queryFn: ({ signal }) => answer(GET("/api/account", { signal })),
  });
  const ways = useQuery({
    queryKey: ["login ways"],
    queryFn: ({ signal }) => answer(GET("/api/login", { signal })),
  });
  const { data } = account;
  return (
    <Page title={t.title} lead={data && t.lead(data.name)} width="narrow">
      {account.isPending && <Loading />}
      <Problem error={account.error} onRetry={() => void account.refetch()} />
      {data && (
        <>
          <Password hasPassword={data.hasPassword} />
          <Totp hasTotp={data.hasTotp} hasPassword={data.hasPassword} />
          {ways.data?.hasPasskeys && <Passkeys passkeys={data.passkeys} hasPassword={data.hasPassword} />}
          <Sessions sessions={data.sessions} />
          <Tokens tokens={data.tokens} hasPassword={data.hasPassword} />
        </>
      )}
    </Page>
  );
}

function Password({ hasPassword }: { readonly hasPassword: boolean }) {
  const { account: t, setup } = useTexts();
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (body: { password?: string; newPassword: string }) =>
      answer(PUT("/api/account/password", { body })),
    onSuccess: async () => {
      tell(t.passwordChanged);
      await client.invalidateQueries({ queryKey: accountKey });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const newPassword = String(data.get("newPassword"));
    change.mutate(hasPassword ? { password: String(data.get("password")), newPassword } : { newPassword }, {
      onSuccess: () => form.reset(),
    });
  };
  return (
    <section className="card account-part">
      <h2>{t.password}</h2>
      <form onSubmit={submit}>
        {hasPassword && <PasswordAgain error={change.error} />}
        <Field
          label={t.newPassword}
          hint={setup.passwordHint}
          name="newPassword"
          type="password"
          autoComplete="new-password"
          required
          minLength={12}
          fault={faultOf(change.error, "newPassword")}
        />
        {!faultOf(change.error, "password") && !faultOf(change.error, "newPassword") && (
          <Problem error={change.error} />
        )}
        <button type="submit" disabled={change.isPending}>
          {t.changePassword}
        </button>
      </form>
    </section>
  );
}

interface Passkey {
  readonly id: string;
  readonly label: string;
  readonly createdAt: string;
}

function Passkeys({
  passkeys,
  hasPassword,
}: {
  readonly passkeys: readonly Passkey[];
  readonly hasPassword: boolean;
}) {
  const { account: t, removal } = useTexts();
  const client = useQueryClient();
  const again = () => client.invalidateQueries({ queryKey: accountKey });
  const add = useMutation({
    mutationFn: ({ label, password }: { label: string; password: string }) =>
      addPasskey(label, hasPassword ? password : undefined),
    onSuccess: again,
  });
  const { isRemoved, remove } = useRemovals(
    (id) => answer(DELETE("/api/account/passkeys/{id}", { params: { path: { id } }, keepalive: true })),
    again,
  );
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    add.mutate(
      { label: String(data.get("label")), password: String(data.get("password") ?? "") },
      { onSuccess: () => form.reset() },
    );
  };
  return (
    <section className="card account-part">
      <h2>{t.passkeys}</h2>
      <p className="hint">{t.passkeysHint}</p>
      <ul className="things">
        {passkeys
          .filter(({ id }) => !isRemoved(id))
          .map(({ id, label, createdAt }) => (
            <li key={id}>
              <span>
                {label}{" "}
                <span className="hint">
                  <When at={createdAt} />
                </span>
              </span>
              <button
                type="button"
                onClick={({ currentTarget }) => {
                  focusHeading(currentTarget.closest("section"));
                  remove(id, removal.thing(label));
                }}
                aria-label={t.removeThing(label)}
              >
                {t.remove}
              </button>
            </li>
          ))}
      </ul>
      <form onSubmit={submit}>
        <Field label={t.passkeyLabel} name="label" required maxLength={100} />
        {hasPassword && <PasswordAgain error={add.error} />}
        {!faultOf(add.error, "password") && <Problem error={add.error} />}
        <button type="submit" disabled={add.isPending}>
          {t.addPasskey}
        </button>
      </form>
    </section>
  );
}

interface Session {
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly address: string;
  readonly userAgent: string;
  readonly isThis: boolean;
}

function Sessions({ sessions }: { readonly sessions: readonly Session[] }) {
  const { account: t } = useTexts();
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: () => answer(POST("/api/account/sessions/end")),
    onSuccess: async () => {
      tell(t.othersEnded);
      await client.invalidateQueries({ queryKey: accountKey });
    },
  });
  return (
    <section className="card account-part">
      <h2>{t.sessions}</h2>
      <ul className="things">
        {sessions.map(({ createdAt, lastSeenAt, address, userAgent, isThis }) => (
          <li key={`${createdAt} ${address} ${userAgent}`}>
            <span>
              {browserOf(userAgent)} · {address} {isThis && <strong>{t.thisSession}</strong>}
              <span className="hint">
                {" "}
                {t.lastSeen} <When at={lastSeenAt} />
              </span>
            </span>
          </li>
        ))}
      </ul>
      <Problem error={end.error} />
      {sessions.length > 1 && (
        <button type="button" disabled={end.isPending} onClick={() => end.mutate()}>
          {t.endOthers}
        </button>
      )}
    </section>
  );
}

const BROWSERS = ["Firefox", "Edg", "OPR", "Chrome", "Safari"];
const SYSTEMS = ["Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux"];

/** "Firefox, Windows": what a person knows a browser by. */
function browserOf(userAgent: string): string {
  const known = [BROWSERS, SYSTEMS].map((all) => all.find((each) => userAgent.includes(each)));
  return known.filter((each) => each !== undefined).join(", ") || userAgent.slice(0, 40);
}
