/** OpenDKIM as a milter: one process verifies, and one for each canonicalisation signs, since that is set for all mail. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { privatePem } from "../../src/keys/private-text.ts";
import { AUTHOR_DOMAIN } from "./awkward-mail.ts";
import { CANONICAL_PAIRS, type CanonicalPair, type DkimPeer, PEER_KEYS, type PeerKey } from "./dkim-peers.ts";
import { MilterClient } from "./milter-client.ts";
import { makeServerDirectory, type RunningServer, startServer } from "./real-server.ts";

/** The keys of each signing process, all of one type: its settings have one algorithm. */
export const OPENDKIM_KEYS: Readonly<Record<CanonicalPair, readonly PeerKey[]>> = {
  "simple/simple": [PEER_KEYS.r1024],
  "simple/relaxed": [PEER_KEYS.r2048, PEER_KEYS.r1024],
  "relaxed/simple": [PEER_KEYS.r4096],
  "relaxed/relaxed": [PEER_KEYS.ed],
};

export async function startOpendkim(): Promise<DkimPeer> {
  const verifier = await start("verify", (directory) => {
    writeFileSync(
      join(directory, "keys"),
      Object.values(PEER_KEYS)
        .map(({ owner, recordText }) => `${owner} ${recordText}\n`)
        .join(""),
    );
    return `Mode v\nAuthservID mx.example.net\nMaximumSignaturesToVerify 20\nMaximumHeaders 0\nTestPublicKeys ${join(directory, "keys")}\n`;
  });
  const signers = new Map<CanonicalPair, Process>();
  for (const pair of CANONICAL_PAIRS)
    signers.set(pair, await start("sign", (directory) => signing(directory, pair)));
  return {
    async verify(mails) {
      const found: ReadonlyMap<string, string>[] = [];
      for (const mail of mails) found.push(readResults(await verifier.client.process(mail, undefined)));
      return found;
    },
    async sign(wishes) {
      const made = [];
      for (const { mail, pair } of wishes) made.push(await signers.get(pair)!.client.process(mail, "user"));
      return made;
    },
    async stop() {
      for (const { client, server } of [verifier, ...signers.values()]) {
        client.close();
        await server.stop();
      }
    },
  };
}

interface Process {
  readonly server: RunningServer;
  readonly client: MilterClient;
}

async function start(name: string, configure: (directory: string) => string): Promise<Process> {
  const directory = makeServerDirectory(`opendkim-${name}`);
  const socket = join(directory, "socket");
  const conf = join(directory, "opendkim.conf");
  const settings = configure(directory);
  writeFileSync(
    conf,
    `${settings}Socket local:${socket}\nSyslog no\nBackground no\nRequireSafeKeys no\nTemporaryDirectory ${directory}\nPidFile ${join(directory, "pid")}\n`,
  );
  const server = await startServer({
    program: "opendkim",
    arguments: ["-f", "-x", conf],
    directory,
    isReady: () => existsSync(socket),
  });
  return { server, client: await MilterClient.connect(socket) };
}

function signing(directory: string, pair: CanonicalPair): string {
  const keys = OPENDKIM_KEYS[pair];
  const folder = join(directory, "private");
  mkdirSync(folder);
  for (const { dkimSelector, keyType, privateKey } of keys)
    writeFileSync(join(folder, dkimSelector), privatePem(privateKey, keyType), { mode: 0o600 });
  const rows = keys.map(
    ({ dkimSelector }) => `${dkimSelector} ${AUTHOR_DOMAIN}:${dkimSelector}:${join(folder, dkimSelector)}\n`,
  );
  writeFileSync(join(directory, "key-table"), rows.join(""));
  writeFileSync(
    join(directory, "signing-table"),
    keys.map(({ dkimSelector }) => `*@${AUTHOR_DOMAIN} ${dkimSelector}\n`).join(""),
  );
  return `Mode s\nSignatureAlgorithm ${keys[0]!.keyType}-sha256\nCanonicalization ${pair}\nMultipleSignatures yes\nMaximumHeaders 0\nOversignHeaders From\nKeyTable file:${join(directory, "key-table")}\nSigningTable refile:${join(directory, "signing-table")}\n`;
}

/** "dkim=pass (2048-bit key) header.d=… header.s=…", one for each signature. */
function readResults(
  fields: readonly { readonly key: string; readonly value: string }[],
): Map<string, string> {
  const found = new Map<string, string>();
  for (const { key, value } of fields) {
    if (key !== "authentication-results") continue;
    for (const part of value.replace(/\s+/g, " ").split(/;(?![^"]*"[^"]*$)/)) {
      const result = /\bdkim=(\S+)(.*)/.exec(part);
      if (result === null) continue;
      const selector = /header\.s=(\S+)/.exec(result[2]!)?.[1] ?? "";
      const why = /reason="([^"]*)"/.exec(result[2]!)?.[1];
      found.set(selector, result[1] === "pass" ? "pass" : `${result[1]} ${why ?? ""}`.trim());
    }
  }
  return found;
}
