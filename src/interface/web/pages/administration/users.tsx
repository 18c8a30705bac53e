/** Who may come in, and as what. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useId, useRef, useState } from "react";
import { answer, DELETE, POST, PUT } from "../../api/client.ts";
import { useSession } from "../../api/session.ts";
import { tokensQuery, type User, usersQuery } from "../../api/tools.ts";
import { Loading } from "../../parts/busy.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Field } from "../../parts/field.tsx";
import { focusHeading } from "../../parts/focus.ts";
import { Page } from "../../parts/page.tsx";
import { PasswordAgain } from "../../parts/password-again.tsx";
import { type Asking, PasswordDialog } from "../../parts/password-dialog.tsx";
import { faultOf, Problem } from "../../parts/problem.tsx";
import { useRemovals } from "../../parts/removal.ts";
import { tell } from "../../parts/toast.tsx";
import { TokenItem } from "../../parts/token-item.tsx";
import { When } from "../../parts/when.tsx";
import { useTexts } from "../../texts/texts.tsx";
import "../../style/administration.css";

const ROLES = ["administrator", "owner", "reader"] as const;
type Role = (typeof ROLES)[number];

/** A password that is shown this once. */
interface Given {
  readonly name: string;
  readonly password: string;
}

export function UsersPage() {
  const { users: t } = useTexts();
  const users = useQuery(usersQuery);
  const session = useSession();
  const [given, setGiven] = useState<Given>();
  const [asking, setAsking] = useState<Asking>();
  const isAsked = users.data?.users.find(({ id }) => id === session?.user.id)?.hasPassword === true;
  return (
    <Page title={t.title} lead={t.lead}>
      {users.isPending && <Loading />}
      <Problem error={users.error} onRetry={() => void users.refetch()} />
      <div role="status">
        {given && (
          <div className="note note-ok">
            <p>{t.passwordOnce(given.name)}</p>
            <p className="copyable">
              <code className="secret">{given.password}</code>{" "}
              <CopyButton text={given.password} what={t.password} />
            </p>
            <p className="hint">{t.passwordHint}</p>
          </div>
        )}
      </div>
      {asking && <PasswordDialog asking={asking} onEnd={() => setAsking(undefined)} />}
      {users.data && <p className="hint">{t.recovery}</p>}
      {users.data && (
        <ul className="users">
          {users.data.users.map((user) => (
            <UserItem key={user.id} user={user} onGiven={setGiven} onAsk={isAsked ? setAsking : undefined} />
          ))}
        </ul>
      )}
      {users.data && (
        <>
          <AddUser onGiven={setGiven} isAsked={isAsked} />
          <TokensOfAll />
        </>
      )}
    </Page>
  );
}

interface Change {
  readonly role?: Role;
  readonly disabled?: boolean;
  readonly makePassword?: true;
  readonly removeTotp?: true;
  readonly ownPassword?: string;
}

interface UserItemProps {
  readonly user: User;
  readonly onGiven: (given: Given) => void;
  /** Undefined where there is no password to ask for. */
  readonly onAsk: ((asking: Asking) => void) | undefined;
}

function UserItem({ user, onGiven, onAsk }: UserItemProps) {
  const { users: t, menu } = useTexts();
  const client = useQueryClient();
  const session = useSession();
  const { id, name, role, hasPassword, hasTotp, oidcSubject, createdAt, disabledAt } = user;
  // What comes of one change is what the next, or its undoing, is made of.
  const revision = useRef(user.revision);
  revision.current = Math.max(revision.current, user.revision);
  const [chosen, setChosen] = useState<Role>();
  const change = useMutation({
    mutationFn: (body: Change) =>
      answer(
        PUT("/api/users/{id}", { params: { path: { id } }, body: { ...body, revision: revision.current } }),
      ),
    onSuccess: (after) => {
      revision.current = after.revision;
      return client.invalidateQueries({ queryKey: usersQuery.queryKey });
    },
    onError: (error) => {
      if (faultOf(error, "ownPassword") === undefined) setChosen(undefined);
      return client.invalidateQueries({ queryKey: usersQuery.queryKey });
    },
  });
  /** What `own` holds is for its undoing as well, while that is offered. */
  const begin = (
    title: string,
    wanted: Change,
    then: (after: Awaited<ReturnType<typeof change.mutateAsync>>, own: Change) => void,
    { hint, isAsked = true }: { readonly hint?: string; readonly isAsked?: boolean } = {},
  ) => {
    const act = async (own: Change) => then(await change.mutateAsync({ ...wanted, ...own }), own);
    if (onAsk && isAsked)
      onAsk({ title: `${title}: ${name}`, hint, act: (ownPassword) => act({ ownPassword }) });
    // What goes wrong stands at the user.
    else void act({}).catch(() => undefined);
  };
  /** What was taken away without the password is given again with it, and it may be another one by then. */
  const undo = (title: string, former: Change, own: Change) => {
    const ask = () => begin(title, former, () => undefined);
    if (own.ownPassword === undefined) ask();
    else change.mutate({ ...former, ...own }, { onError: (error) => faultOf(error, "ownPassword") && ask() });
  };
  const roleId = useId();
  const select = useRef<HTMLSelectElement>(null);
  const setRole = (next: Role) => {
    select.current?.focus();
    begin(
      t.changeRole,
      { role: next },
      (_, own) => {
        setChosen(undefined);
        tell(t.roleChanged(name, menu.role(next)), () => undo(t.changeRole, { role }, own));
      },
      { isAsked: role !== "administrator" },
    );
  };
  const setDisabled = (disabled: boolean) =>
    begin(
      disabled ? t.disable : t.enable,
      { disabled },
      (_, own) =>
        tell(disabled ? t.isDisabled(name) : t.isEnabled(name), () =>
          undo(disabled ? t.enable : t.disable, { disabled: !disabled }, own),
        ),
      { isAsked: !disabled },
    );
  const givePassword = () =>
    begin(
      t.newPassword,
      { makePassword: true },
      ({ temporaryPassword: password }) => password && onGiven({ name, password }),
      { hint: t.recovery },
    );
  const isOneself = session?.user.id === id;
  return (
    <li className={`card user ${disabledAt ? "user-disabled" : ""}`}>
      <div className="user-head">
        <h2>{name}</h2>
        <p className="hint">
          {isOneself && `${t.you} · `}
          {disabledAt ? (
            <>
              {t.disabled} <When at={disabledAt} />
            </>
          ) : (
            <>
              {t.since} <When at={createdAt} />
            </>
          )}
          {" · "}
          {[hasPassword && t.byPassword, hasTotp && t.byTotp, oidcSubject && t.byProvider]
            .filter(Boolean)
            .join(", ")}
        </p>
      </div>
      <div className="actions">
        <select
          aria-label={`${t.role}: ${name}`}
          ref={select}
          value={chosen ?? role}
          disabled={isOneself}
          aria-describedby={isOneself ? roleId : undefined}
          onChange={({ target }) => setChosen(target.value as Role)}
        >
          {ROLES.map((each) => (
            <option key={each} value={each}>
              {menu.role(each)}
            </option>
          ))}
        </select>
        {chosen !== undefined && chosen !== role && (
          <button
            type="button"
            aria-label={`${t.changeRole}: ${name}`}
            disabled={change.isPending}
            onClick={() => setRole(chosen)}
          >
            {t.changeRole}
          </button>
        )}
        <button
          type="button"
          aria-label={`${t.newPassword}: ${name}`}
          disabled={change.isPending || isOneself}
          onClick={givePassword}
        >
          {t.newPassword}
        </button>
        {hasTotp && !isOneself && (
          <button
            type="button"
            aria-label={`${t.removeTotp}: ${name}`}
            disabled={change.isPending}
            onClick={({ currentTarget }) => {
              focusHeading(currentTarget.closest("li"));
              begin(t.removeTotp, { removeTotp: true }, () => tell(t.noTotp(name)));
            }}
          >
            {t.removeTotp}
          </button>
        )}
        <button
          type="button"
          aria-label={`${disabledAt ? t.enable : t.disable}: ${name}`}
          disabled={change.isPending || isOneself}
          onClick={() => setDisabled(disabledAt === null)}
        >
          {disabledAt ? t.enable : t.disable}
        </button>
      </div>
      {isOneself && (
        <p className="hint" id={roleId}>
          {t.ownRole}
        </p>
      )}
      {!(onAsk && faultOf(change.error, "ownPassword")) && <Problem error={change.error} />}
    </li>
  );
}

function TokensOfAll() {
  const { users: t, account, removal } = useTexts();
  const client = useQueryClient();
  const tokens = useQuery(tokensQuery);
  const all = tokens.data?.tokens;
  const { isRemoved, remove } = useRemovals(
    async (token) => {
      const id = all?.find((each) => each.id === token)?.user.id;
      if (id === undefined) return;
      const params = { path: { id, token } };
      await answer(DELETE("/api/users/{id}/tokens/{token}", { params, keepalive: true }));
    },
    () => client.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  );
  const shown = all?.filter(({ id }) => !isRemoved(id));
  return (
    <section className="card stack">
      <h2>{account.tokens}</h2>
      <p className="hint">
        {t.tokens}{" "}
        <Link to="/account" search={{}}>
          {t.ownAccount}
        </Link>
      </p>
      <Problem error={tokens.error} />
      {shown?.length === 0 && <p>{t.noTokens}</p>}
      <ul className="things">
        {shown?.map((token) => (
          <TokenItem
            key={token.id}
            token={token}
            owner={token.user.name}
            onRemove={() => remove(token.id, removal.thing(`${token.user.name}: ${token.label}`))}
          />
        ))}
      </ul>
    </section>
  );
}

interface Added {
  readonly name: string;
  readonly role: Role;
  readonly makePassword?: true;
  readonly oidcSubject?: string;
  readonly ownPassword?: string;
}

interface AddUserProps {
  readonly onGiven: (given: Given) => void;
  readonly isAsked: boolean;
}

function AddUser({ onGiven, isAsked }: AddUserProps) {
  const { users: t, menu, passwordDialog } = useTexts();
  const client = useQueryClient();
  const add = useMutation({
    mutationFn: (body: Added) => answer(POST("/api/users", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: usersQuery.queryKey }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const oidcSubject = String(data.get("subject") ?? "").trim();
    const role = ROLES.find((each) => each === data.get("role")) ?? "owner";
    add.mutate(
      {
        name: String(data.get("name")),
        role,
        ...(oidcSubject ? { oidcSubject } : { makePassword: true }),
        ...(isAsked && { ownPassword: String(data.get("ownPassword")) }),
      },
      {
        onSuccess: ({ name, temporaryPassword: password }) => {
          form.reset();
          if (password) onGiven({ name, password });
        },
      },
    );
  };
  const fault = faultOf(add.error, "name");
  return (
    <section className="card stack">
      <h2>{t.add}</h2>
      <form className="stack" onSubmit={submit}>
        <Field label={t.name} name="name" required maxLength={64} autoComplete="off" fault={fault} />
        <fieldset className="choices">
          <legend>{t.role}</legend>
          {ROLES.map((each) => (
            <label key={each} className="check">
              <input type="radio" name="role" value={each} defaultChecked={each === "owner"} />
              <span>
                {menu.role(each)} <span className="hint">{t.roles[each]}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <details>
          <summary>{t.provider}</summary>
          <Field label={t.subject} hint={t.subjectHint} name="subject" maxLength={500} autoComplete="off" />
        </details>
        {isAsked && <PasswordAgain error={add.error} name="ownPassword" label={passwordDialog.own} />}
        {!fault && !(isAsked && faultOf(add.error, "ownPassword")) && <Problem error={add.error} />}
        <button type="submit" className="primary" disabled={add.isPending}>
          {t.addUser}
        </button>
      </form>
    </section>
  );
}
