/** `zonepost keys`: made, listed, shown, retired, revoked, sealed anew. What asks DNS is in keys-dns.ts. */

import { totpBinding } from "../../access/login.ts";
import { createSecretBox } from "../../access/secret-box.ts";
import type { DkimKey } from "../../keys/key.ts";
import { keyOwner, keyRecordShapes, keyRecordText, REVOKED_TEXT } from "../../keys/key-record-shapes.ts";
import { makeKey as makeKeptKey } from "../../keys/make-key.ts";
import { privatePem } from "../../keys/private-text.ts";
import { barKey } from "../../keys/rotation.ts";
import type { SecretChange } from "../../keys/seal-store.ts";
import { type MasterKey, newMasterKeyText, resealKey, type SealedKey } from "../../keys/sealing.ts";
import { providerBinding } from "../../publish/provider-store.ts";
import { describeDkimKey, dkimFingerprint, shortDkimFingerprint } from "../../standards/dkim/public-key.ts";
import { absolute, type DomainName } from "../../standards/dns/name.ts";
import { renderTxt } from "../../standards/dns/txt-rendering.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import {
  type KeysOptions,
  keyFacts,
  keysOf,
  namedDomains,
  type OpenedKeys,
  oneKey,
  openKey,
  withKeys,
} from "./keys-state.ts";
import { findSealKey, readSealKeyFile } from "./seal-key.ts";
import { table, visible, wrap } from "./terminal.ts";
import type { OpenedState, Tools } from "./tools.ts";

export interface GenerateOptions extends KeysOptions {
  readonly selector: string;
  readonly algorithm: string;
  readonly bits?: number;
}

export async function runKeysGenerate(
  names: readonly string[],
  options: GenerateOptions,
  tools: Tools,
): Promise<ExitCode> {
  return withKeys(options, tools, async (opened) => {
    const made: DkimKey[] = [];
    for (const domain of namedDomains(names)) made.push(await makeKey(domain, options, opened, tools));
    const { terminal } = tools;
    if (options.json) {
      terminal.out(
        `${JSON.stringify(
          made.map((key) => ({ ...keyFacts(key), record: keyRecordText(key) })),
          null,
          2,
        )}\n`,
      );
      return EXIT.ok;
    }
    for (const key of made) {
      terminal.out(
        `${terminal.style.bold(keyOwner(key))}  ${describeDkimKey(key.publicKey)}, fingerprint ${shortDkimFingerprint(key.publicKey)}\n\n${zoneRecord(key)}\n\n`,
      );
    }
    const [first] = made;
    terminal.out(
      `${wrap(`Publish it, then: zonepost keys rotate ${first!.signingDomain}. It says when the key may sign. Other shapes of the record: zonepost keys show ${first!.signingDomain} --selector ${first!.dkimSelector}`, terminal.columns)}\n`,
    );
    return EXIT.ok;
  });
}

export const zoneRecord = (key: DkimKey): string =>
  `${absolute(keyOwner(key))} IN TXT ${renderTxt(keyRecordText(key), "strings")}`;
export const revokedRecord = (key: DkimKey): string =>
  `${absolute(keyOwner(key))} IN TXT ${renderTxt(REVOKED_TEXT, "strings")}`;

export async function makeKey(
  signingDomain: DomainName,
  wanted: Pick<GenerateOptions, "selector" | "algorithm" | "bits">,
  { store, sealKey }: OpenedKeys,
  tools: Tools,
): Promise<DkimKey> {
  const { makeKeyPair, randomOctets: random, now } = tools;
  const made = await makeKeptKey(signingDomain, wanted, { store, sealKey, makeKeyPair, random, now });
  if (!made.ok) throw new UsageError(made.problem.replace(/^the selector:/, "--selector:"));
  const { key, warning } = made.value;
  if (warning !== undefined) {
    tools.terminal.err(`${wrap(`Note: ${warning}.`, tools.terminal.columns)}\n`);
  }
  return key;
}

export async function runKeysList(
  names: readonly string[],
  options: KeysOptions,
  tools: Tools,
): Promise<ExitCode> {
  return withKeys(options, tools, async (opened) => {
    const { terminal } = tools;
    const keys = await keysOf(names, opened);
    if (options.json) {
      const facts = keys.map((key) => ({ ...keyFacts(key), fingerprint: dkimFingerprint(key.publicKey) }));
      terminal.out(`${JSON.stringify(facts, null, 2)}\n`);
      return EXIT.ok;
    }
    if (keys.length === 0) {
      terminal.out("There are no keys yet: zonepost keys generate DOMAIN makes one.\n");
      return EXIT.ok;
    }
    const rows = keys.map((key) => [
      visible(keyOwner(key)),
      describeDkimKey(key.publicKey),
      stateText(key),
      key.times[key.state]?.toISOString().slice(0, 10) ?? "",
      shortDkimFingerprint(key.publicKey),
    ]);
    terminal.out(`${table(["record", "key", "state", "since", "fingerprint"], rows, terminal.style)}\n`);
    return EXIT.ok;
  });
}

const stateText = ({ state, barred }: DkimKey): string =>
  barred === undefined || state === "removed" || state === barred ? state : `${state} (${barred} by hand)`;

export interface ShowOptions extends KeysOptions {
  readonly selector?: string;
  readonly private?: boolean;
}

export async function runKeysShow(name: string, options: ShowOptions, tools: Tools): Promise<ExitCode> {
  return withKeys(options, tools, async (opened) => {
    const { terminal } = tools;
    const key = await oneKey(name, options.selector, opened);
    const privateText = options.private
      ? privatePem(openKey(key, await opened.sealKey()), key.publicKey.keyType)
      : undefined;
    const shapes = keyRecordShapes(key);
    if (options.json) {
      const facts = {
        ...keyFacts(key),
        fingerprint: dkimFingerprint(key.publicKey),
        shapes: Object.fromEntries(shapes.map((shape) => [shape.name, shape.text])),
        ...(privateText !== undefined && { private: privateText }),
      };
      terminal.out(`${JSON.stringify(facts, null, 2)}\n`);
      return EXIT.ok;
    }
    const { bold } = terminal.style;
    const head = `${bold(keyOwner(key))}  ${describeDkimKey(key.publicKey)}, fingerprint ${shortDkimFingerprint(key.publicKey)}, ${stateText(key)}`;
    const blocks = [
      ...shapes.map(({ name: title, text }) => `${bold(title)}\n${text}`),
      ...(privateText === undefined ? [] : [`${bold("private key")}\n${privateText.trimEnd()}`]),
    ];
    terminal.out(`${[head, ...blocks].join("\n\n")}\n`);
    return EXIT.ok;
  });
}

export interface BarOptions extends KeysOptions {
  readonly selector?: string;
  readonly yes?: boolean;
}

/** `retire`: it stays published for the mail that is under way. `revoke`: it must not count any more. */
export async function runKeysBar(
  how: "retired" | "revoked",
  name: string,
  options: BarOptions,
  tools: Tools,
): Promise<ExitCode> {
  return withKeys(options, tools, async (opened) => {
    const { terminal } = tools;
    const key = await oneKey(
      name,
      options.selector,
      opened,
      ({ state }) => !["revoked", "removed"].includes(state),
    );
    const { dkimSelector, signingDomain, state } = key;
    if (state === "removed") throw new UsageError(`${keyOwner(key)} is gone from DNS already`);
    if (state === "signing" && !options.yes) {
      const words = `${keyOwner(key)} signs mail now, and would never sign again`;
      const answer = tools.ask && (await tools.ask(`${words}. Go on? [y/N] `));
      if (answer === undefined) throw new UsageError(`${words}; say --yes if that is meant`);
      if (!/^y(es)?$/i.test(answer)) return EXIT.ok;
    }
    const after = barKey(key, how, tools.now());
    if ((await opened.store.change([{ before: key, after }])) === "stale") {
      throw new UsageError(
        `${keyOwner(key)} has just been changed by somebody else; look again, and try again`,
      );
    }
    if (options.json) {
      terminal.out(
        `${JSON.stringify({ ...keyFacts(after), ...(how === "revoked" && { record: revokedRecord(key) }) }, null, 2)}\n`,
      );
      return EXIT.ok;
    }
    const next =
      how === "revoked"
        ? `Publish this in place of its record now:\n\n${revokedRecord(key)}\n`
        : `Leave its record published; zonepost keys rotate ${signingDomain} says when it may go.\n`;
    terminal.out(
      `${dkimSelector} of ${signingDomain} never signs again. Take it out of the signing program.\n${next}`,
    );
    return EXIT.ok;
  });
}

export interface ResealOptions extends KeysOptions {
  readonly newSealKey?: string;
  /** Where some is sealed under one key, and some under another. */
  readonly oldSealKey?: readonly string[];
}

/** All that is sealed under another master key, at once; the new one is not there before it is needed. */
export async function runKeysReseal(options: ResealOptions, tools: Tools): Promise<ExitCode> {
  return withKeys(options, tools, async ({ state, store, directory }) => {
    const keys = await store.list();
    const old = readOldSealKeys(options, directory, tools);
    const path = options.newSealKey ?? `${directory}/seal.key.new`;
    const isMade = !tools.fileExists(path);
    if (isMade) tools.writePrivateFile(path, newMasterKeyText(tools.randomOctets), { overwrite: false });
    const to = readSealKeyFile(path, tools);
    const changes = keys.map((before) => {
      return { before, after: { ...before, sealed: sealedAnew(before, old, to, tools) } };
    });
    const secrets = await resealSecrets(state, old, to, tools);
    if ((await state.seal.reseal(to.id, changes, secrets)) === "stale") {
      throw new UsageError(
        "something sealed was changed or added by somebody else meanwhile; nothing was changed. Stop the server, and try again",
      );
    }
    const { terminal } = tools;
    if (options.json)
      terminal.out(
        `${JSON.stringify({ resealed: changes.length, secrets: secrets.length, sealKey: path })}\n`,
      );
    else {
      terminal.out(
        visible(
          `${changes.length} keys${secrets.length === 0 ? "" : ` and ${secrets.length} secrets of users and providers`} are sealed under ${path}${isMade ? ", which was made" : ""}. From now on name it with --seal-key, or put it in the place of the old one, at every node. Then start servers again, and have milters read it (SIGHUP): with the old one they open nothing any more, and seal nothing.\n`,
        ),
      );
    }
    return EXIT.ok;
  });
}

function readOldSealKeys(options: ResealOptions, directory: string, tools: Tools): readonly MasterKey[] {
  const found = findSealKey(options, directory, tools);
  const named = options.oldSealKey?.map((path) => readSealKeyFile(path, tools)) ?? [];
  const old = found === undefined ? named : [found, ...named];
  if (old.length === 0)
    throw new UsageError(
      `there is no seal key in ${directory} that anything could be sealed under: name it with --seal-key`,
    );
  return old;
}

const MORE_OLD_KEYS = "where some was sealed under another seal key, name that one too, with --old-seal-key";

function sealedAnew(
  key: DkimKey,
  old: readonly MasterKey[],
  to: MasterKey,
  { randomOctets }: Tools,
): SealedKey {
  const tries = old.map((from) => resealKey(key.sealed, key, from, to, randomOctets));
  const done = tries.find((each) => each.status === "resealed");
  if (done !== undefined) return done.sealed;
  const problems = tries.flatMap((each) => (each.status === "resealed" ? [] : [each]));
  const { status, problem } = problems.find((each) => each.status !== "other-master-key") ?? problems[0]!;
  throw new UsageError(
    `nothing was changed: ${problem}${status === "other-master-key" ? `; ${MORE_OLD_KEYS}` : ""}`,
  );
}

/** Codes of users, and credentials of providers that were entered at the server. */
async function resealSecrets(
  { access, providers }: OpenedState,
  old: readonly MasterKey[],
  to: MasterKey,
  { randomOctets }: Tools,
): Promise<readonly SecretChange[]> {
  const boxes = old.map(({ key }) => createSecretBox(key, randomOctets));
  const next = createSecretBox(to.key, randomOctets);
  const again = (of: SecretChange["of"], id: string, before: string, boundTo: string): SecretChange => {
    const opened = boxes.map((box) => box.open(before, boundTo)).find((octets) => octets !== undefined);
    if (opened === undefined)
      throw new UsageError(
        `nothing was changed: a secret of ${of} ${id} does not open with the seal key at hand; ${MORE_OLD_KEYS}`,
      );
    return { of, id, before, after: next.seal(opened, boundTo) };
  };
  return [
    ...(await access.users()).flatMap(({ id, sealedTotpSecret }) =>
      sealedTotpSecret === undefined ? [] : [again("user", id, sealedTotpSecret, totpBinding(id))],
    ),
    ...(await providers.list()).map(({ id, sealed }) => again("provider", id, sealed, providerBinding(id))),
  ];
}
