/** rspamd, asked over HTTP: one process that signs what a user hands in, and verifies the rest. */
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { privatePem, privateSeedAndPublic } from "../../src/keys/private-text.ts";
import { startDnsServer } from "../../src/net/dns-server.ts";
import type { ServedZone } from "../../src/net/served-zone.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import type { Rdata, ResourceRecord } from "../../src/standards/dns/record.ts";
import type { HeaderField } from "../../src/standards/message/header-field.ts";
import { AUTHOR_DOMAIN, wireOctets } from "./awkward-mail.ts";
import { type DkimPeer, PEER_KEYS, readFields } from "./dkim-peers.ts";
import { makeServerDirectory, startServer } from "./real-server.ts";
import { txt } from "./table-resolver.ts";

/** Every mail that it signs has these signatures, relaxed/relaxed. */
export const RSPAMD_KEYS = [PEER_KEYS.r1024, PEER_KEYS.r2048, PEER_KEYS.ed] as const;

interface Scan {
  readonly symbols: Readonly<Record<string, { readonly options?: readonly string[] }>>;
  readonly "dkim-signature"?: string | readonly string[];
}

export async function startRspamd(): Promise<DkimPeer> {
  const dns = await startDnsServer({ zones: [zone()], address: "127.0.0.1" });
  const directory = makeServerDirectory("rspamd");
  const socket = join(directory, "worker.sock");
  const conf = join(directory, "rspamd.conf");
  writeFileSync(join(directory, "tld"), "org\nnet\n");
  writeFileSync(conf, settings(directory, socket, dns.port));
  const server = await startServer({
    program: "rspamd",
    arguments: ["--insecure", "--no-fork", "--config", conf],
    directory,
    isReady: () => existsSync(socket),
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const scan = async (octets: Buffer, headers: Record<string, string>): Promise<Scan> => {
    const request = httpRequest({ agent, socketPath: socket, path: "/checkv2", method: "POST", headers });
    request.end(octets);
    const [response] = await once(request, "response");
    return (await json(response)) as Scan;
  };
  return {
    async verify(mails) {
      return await Promise.all(
        mails.map(async (mail) => readResults(await scan(wireOctets(mail), { IP: "192.0.2.10" }))),
      );
    },
    async sign(wishes) {
      return await Promise.all(
        wishes.map(async ({ mail }): Promise<readonly HeaderField[]> => {
          const headers = { User: "user", From: `user@${AUTHOR_DOMAIN}`, IP: "192.0.2.10" };
          const made = [(await scan(wireOctets(mail), headers))["dkim-signature"] ?? []].flat();
          return made.flatMap((value) =>
            readFields(`DKIM-Signature: ${value.replace(/\r?\n/g, "\r\n")}\r\n`),
          );
        }),
      );
    },
    async stop() {
      agent.destroy();
      await server.stop();
      await dns.close();
    },
  };
}

function zone(): ServedZone {
  const apex = domainName(AUTHOR_DOMAIN);
  const [primary, mailbox] = [domainName("ns.example.org"), domainName("hostmaster.example.org")];
  const times = { serial: 1, refreshSeconds: 1, retrySeconds: 1, expireSeconds: 1, minimumSeconds: 1 };
  const record = (name: string, data: Rdata): ResourceRecord => ({
    name: domainName(name),
    ttlSeconds: 3_600,
    data,
  });
  return {
    apex,
    records: [
      record(AUTHOR_DOMAIN, { type: "SOA", primary, mailbox, ...times }),
      ...Object.values(PEER_KEYS).map(({ owner, recordText }) => record(owner, txt(recordText))),
    ],
  };
}

function settings(directory: string, socket: string, dnsPort: number): string {
  const keys = join(directory, "private");
  mkdirSync(keys);
  const selectors = RSPAMD_KEYS.map(({ dkimSelector, keyType, privateKey }) => {
    const path = join(keys, dkimSelector);
    writeFileSync(
      path,
      keyType === "rsa" ? privatePem(privateKey, keyType) : privateSeedAndPublic(privateKey),
    );
    return `{ selector = "${dkimSelector}"; path = "${path}"; }`;
  });
  return `
    options {
      filters = "dkim"; pidfile = "${directory}/pid"; tempdir = "${directory}"; hs_cache_dir = "${directory}";
      url_tld = "${directory}/tld"; control_socket = "${directory}/control.sock mode=0600"; explicit_modules = [];
      task_timeout = 30s; dns { nameserver = ["127.0.0.1:${dnsPort}"]; timeout = 5s; }
    }
    logging { type = "console"; level = "error"; }
    worker "normal" { bind_socket = "${socket} mode=0600"; count = 1; }
    modules { path = "$PLUGINSDIR/dkim_signing.lua"; }
    dkim { check_local = true; check_authed = false; max_sigs = 20; time_jitter = 1d; }
    dkim_signing {
      allow_username_mismatch = true; use_domain = "header"; use_esld = false;
      domain { ${AUTHOR_DOMAIN} { selectors [ ${selectors.join(", ")} ] } }
    }`;
}

const SYMBOLS = {
  R_DKIM_ALLOW: "pass",
  R_DKIM_REJECT: "fail",
  R_DKIM_PERMFAIL: "permfail",
  R_DKIM_TEMPFAIL: "tempfail",
} as const;

/** Options are "example.org:s=r2048". */
function readResults({ symbols }: Scan): Map<string, string> {
  const found = new Map<string, string>();
  for (const [symbol, result] of Object.entries(SYMBOLS))
    for (const option of symbols[symbol]?.options ?? [])
      found.set(/:s=([^:]+)/.exec(option)?.[1] ?? option, result);
  return found;
}
