/** `zonepost user`: who may log in at the server, and a way in for who has lost theirs. */
import type { AccessStore, User } from "../../access/access-store.ts";
import { withNewWayIn } from "../../access/account.ts";
import { forgetTries } from "../../access/attempt.ts";
import { auditEntry } from "../../access/audit.ts";
import { loginName } from "../../access/login.ts";
import { closest } from "../../records/closest.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { openStateOf } from "./settings-file.ts";
import { stateDirectory } from "./state-directory.ts";
import { table, visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";

export interface UserOptions {
  readonly state?: string;
  readonly settings?: string;
  readonly json?: boolean;
}

export async function runUserList(options: UserOptions, tools: Tools): Promise<ExitCode> {
  const { terminal } = tools;
  const rows = await withAccess(options, tools, async (access) => {
    const rows = [];
    for (const user of await access.users())
      rows.push({
        name: user.name,
        role: user.role,
        waysIn: waysIn(user, (await access.passkeys(user.id)).length > 0),
        isDisabled: user.disabledAt !== undefined,
        createdAt: user.createdAt.toISOString(),
      });
    return rows;
  });
  if (options.json) terminal.out(`${JSON.stringify({ users: rows })}\n`);
  else if (rows.length === 0)
    terminal.out("Nobody yet: zonepost serve prints a link for the first administrator.\n");
  else {
    const cells = rows.map(({ name, role, waysIn, isDisabled, createdAt }) => [
      visible(name),
      isDisabled ? `${role}, kept out` : role,
      waysIn.join(", "),
      createdAt.slice(0, 10),
    ]);
    terminal.out(`${table(["NAME", "ROLE", "COMES IN BY", "SINCE"], cells, terminal.style)}\n`);
  }
  return EXIT.ok;
}

/** A server that runs on the same state lets the user in at once; their sessions end. */
export async function runUserReset(typed: string, options: UserOptions, tools: Tools): Promise<ExitCode> {
  const { terminal } = tools;
  const { name, password } = await withAccess(options, tools, async (access) => {
    const before = await access.user({ name: loginName(typed) });
    if (before === undefined) throw await unknown(typed, access);
    const { user, password } = await withNewWayIn(before, tools.randomOctets);
    if ((await access.changeUser(before, user, { isRecovery: true })) !== "changed")
      throw new UsageError(`${visible(typed)}: somebody else changes this user now; try again`, EXIT.errors);
    await forgetTries(access, before);
    const what = { actor: "system", address: undefined, action: "user.change", target: user.name };
    const details = { password: "new", removeTotp: true, disabled: false };
    await access.audit(auditEntry({ ...what, details }, tools.now(), tools.randomOctets));
    return { name: user.name, password };
  });
  if (options.json) terminal.out(`${JSON.stringify({ user: name, temporaryPassword: password })}\n`);
  else {
    terminal.out(`${password}\n`);
    const words = `The new password of ${name}, shown this once. Codes of an app are off, all sessions have ended, passkeys and tokens are gone. Change it under Account after the login.`;
    terminal.err(`${wrap(visible(words), terminal.columns)}\n`);
  }
  return EXIT.ok;
}

async function withAccess<T>(
  options: UserOptions,
  tools: Tools,
  act: (access: AccessStore) => Promise<T>,
): Promise<T> {
  const state = await openStateOf(stateDirectory(options.state, tools), tools, options.settings);
  try {
    return await act(state.access);
  } finally {
    await state.close();
  }
}

const waysIn = (
  { passwordHash, sealedTotpSecret, oidcSubject }: User,
  hasPasskey: boolean,
): readonly string[] => [
  ...(passwordHash === undefined ? [] : [sealedTotpSecret === undefined ? "password" : "password and code"]),
  ...(hasPasskey ? ["passkey"] : []),
  ...(oidcSubject === undefined ? [] : ["identity provider"]),
];

async function unknown(typed: string, access: AccessStore): Promise<UsageError> {
  const names = (await access.users()).map(({ name }) => name);
  const near = closest(loginName(typed), names);
  const advice =
    names.length === 0
      ? "there is nobody in this state; is --state or --settings the one of the server?"
      : near === undefined
        ? "zonepost user list says who there is"
        : `did you mean ${near}?`;
  return new UsageError(visible(`${typed}: there is no such user; ${advice}`), EXIT.errors);
}
