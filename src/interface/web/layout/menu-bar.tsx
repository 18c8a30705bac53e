/** The menu bar: only pages that there are. */
import { useQueryClient } from "@tanstack/react-query";
import { Link, type LinkProps, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { isAdministrator, leave, mayAddDomains, type Session, seesAll, useSession } from "../api/session.ts";
import type { Texts } from "../texts/en.ts";
import { useTexts } from "../texts/texts.tsx";
import { Mark } from "./first-sight.tsx";

interface Entry {
  readonly to: NonNullable<LinkProps["to"]>;
  readonly name: keyof Texts["menu"]["entries"];
  readonly isFor?: (session: Session) => boolean;
}

const ENTRIES: readonly Entry[] = [
  { to: "/", name: "overview" },
  { to: "/add", name: "add", isFor: mayAddDomains },
  { to: "/dkim", name: "dkim" },
  { to: "/history", name: "history" },
];

interface Group {
  readonly name: keyof Texts["menu"]["groups"];
  readonly entries: readonly Entry[];
}

/** Behind a word each, so that the bar stays short; a group without an entry for somebody is not there for them. */
const GROUPS: readonly Group[] = [
  {
    name: "tools",
    entries: [
      { to: "/troubleshoot", name: "troubleshoot" },
      { to: "/explain", name: "explain" },
      { to: "/route", name: "route" },
    ],
  },
  {
    name: "administration",
    entries: [
      { to: "/servers", name: "servers", isFor: seesAll },
      { to: "/providers", name: "providers", isFor: isAdministrator },
      { to: "/alerts", name: "alerts", isFor: seesAll },
      { to: "/audit", name: "audit", isFor: seesAll },
      { to: "/users", name: "users", isFor: isAdministrator },
      { to: "/settings", name: "settings", isFor: isAdministrator },
      { to: "/backup", name: "backup", isFor: isAdministrator },
    ],
  },
];

export function MenuBar() {
  const { app, menu: t } = useTexts();
  const session = useSession();
  const isInside = session?.isComplete === true;
  const closeMenu = () => document.getElementById("menu")?.hidePopover();
  return (
    <header className="bar">
      <div className="bar-inside">
        <Link to="/" className="brand">
          <Mark />
          {app.name}
        </Link>
        {isInside && (
          <>
            <button type="button" className="menu-button" popoverTarget="menu">
              {t.open}
            </button>
            <nav aria-label={t.label}>
              <ul id="menu" popover="auto">
                <Entries entries={ENTRIES} session={session} onGo={closeMenu} />
                {GROUPS.map((group) => (
                  <MenuGroup key={group.name} group={group} session={session} onGo={closeMenu} />
                ))}
              </ul>
            </nav>
            <AccountMenu session={session} />
          </>
        )}
      </div>
    </header>
  );
}

interface EntriesProps {
  readonly entries: readonly Entry[];
  readonly session: Session;
  readonly onGo: () => void;
}

const isShown =
  (session: Session) =>
  ({ isFor }: Entry): boolean =>
    isFor?.(session) ?? true;

function Entries({ entries, session, onGo }: EntriesProps) {
  const { menu: t } = useTexts();
  return entries.filter(isShown(session)).map(({ to, name }) => (
    <li key={name}>
      <Link to={to} activeOptions={{ exact: to === "/", includeSearch: false }} onClick={onGo}>
        {t.entries[name]}
      </Link>
    </li>
  ));
}

/** Closes when one goes somewhere, leaves it, or presses Escape. */
function MenuGroup({
  group: { name, entries },
  session,
  onGo,
}: {
  readonly group: Group;
  readonly session: Session;
  readonly onGo: () => void;
}) {
  const { menu: t } = useTexts();
  const ref = useRef<HTMLDetailsElement>(null);
  const close = () => ref.current?.removeAttribute("open");
  useEffect(() => {
    const closeOutside = ({ target }: Event) => {
      if (!ref.current?.contains(target as Node)) ref.current?.removeAttribute("open");
    };
    document.addEventListener("pointerdown", closeOutside);
    return () => document.removeEventListener("pointerdown", closeOutside);
  }, []);
  if (!entries.some(isShown(session))) return null;
  return (
    <li>
      <details
        ref={ref}
        className="menu-group"
        name="menu-group"
        onBlur={({ relatedTarget }) => {
          if (relatedTarget !== null && !ref.current?.contains(relatedTarget)) close();
        }}
        onKeyDown={({ key }) => {
          if (key !== "Escape" || !ref.current?.open) return;
          close();
          ref.current.querySelector("summary")?.focus();
        }}
      >
        <summary>{t.groups[name]}</summary>
        <ul>
          <Entries
            entries={entries}
            session={session}
            onGo={() => {
              close();
              onGo();
            }}
          />
        </ul>
      </details>
    </li>
  );
}

function AccountMenu({ session: { user } }: { readonly session: Session }) {
  const { menu: t } = useTexts();
  const client = useQueryClient();
  const navigate = useNavigate();
  const close = () => document.getElementById("account-menu")?.hidePopover();
  return (
    <div className="account">
      <button type="button" className="account-button" popoverTarget="account-menu">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <circle cx="8" cy="5.5" r="3" />
          <path d="M2 15c.6-3.5 3-5 6-5s5.4 1.5 6 5" />
        </svg>
        <span className="unseen">{t.loggedInAs} </span>
        <span className="account-name">{user.name}</span>
      </button>
      <div id="account-menu" popover="auto" className="account-menu">
        <p className="hint">{t.role(user.role)}</p>
        <Link to="/account" className="button" onClick={close}>
          {t.account}
        </Link>
        <button
          type="button"
          onClick={async () => {
            close();
            await leave(client);
            await navigate({ to: "/login" });
          }}
        >
          {t.logOut}
        </button>
      </div>
    </div>
  );
}
