/** Keys as the configuration of signing programs: OpenDKIM, rspamd, amavisd, dkimpy-milter, or plain files. */
import type { KeyObject } from "node:crypto";
import type { DomainName } from "../standards/dns/name.ts";
import type { Parsed } from "../standards/dns/parsed.ts";
import type { DkimKey } from "./key.ts";
import { privatePem, privateSeed, privateSeedAndPublic } from "./private-text.ts";

export const EXPORT_FORMATS = ["opendkim", "rspamd", "amavisd", "dkimpy", "pem"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportedKey {
  readonly key: DkimKey;
  readonly privateKey: KeyObject;
}

export interface ExportedFile {
  /** Below the folder of the export. */
  readonly path: string;
  readonly content: string;
  /** Nobody but the signing program may read it. */
  readonly isPrivate: boolean;
}

export interface Export {
  readonly files: readonly ExportedFile[];
  /** What the program cannot hold, and what is left to do. */
  readonly notes: readonly string[];
}

/** `folder`: where the files will lie, as an absolute path, for the programs want it written out. */
export function exportKeys(
  keys: readonly ExportedKey[],
  format: ExportFormat,
  folder: string,
): Parsed<Export> {
  const wrong = keys.find(({ key }) => !isPlain(key.signingDomain) || !isPlain(key.dkimSelector));
  if (wrong !== undefined) {
    return { ok: false, problem: `"${wrong.key.signingDomain}" cannot stand in a file name` };
  }
  if (!/^\/[\w./+@-]*$/.test(folder)) {
    return {
      ok: false,
      problem: `signing programs need the folder as an absolute path of plain characters, not "${folder}"`,
    };
  }
  return { ok: true, value: { ...EXPORTS[format](keys, folder.replace(/\/+$/, "")) } };
}

const isPlain = (name: string): boolean => /^[a-z0-9_][a-z0-9_.-]*$/.test(name);

const EXPORTS: Readonly<Record<ExportFormat, (keys: readonly ExportedKey[], folder: string) => Export>> = {
  opendkim,
  rspamd,
  amavisd,
  dkimpy,
  pem: (keys) => ({ files: keys.map(pemFile), notes: [] }),
};

const pathOf = ({ signingDomain, dkimSelector }: DkimKey, ending = "private"): string =>
  `keys/${signingDomain}/${dkimSelector}.${ending}`;

const pemFile = ({ key, privateKey }: ExportedKey): ExportedFile => ({
  path: pathOf(key),
  content: privatePem(privateKey, key.publicKey.keyType),
  isPrivate: true,
});

const isRsa = ({ key }: ExportedKey): boolean => key.publicKey.keyType === "rsa";
const ownerOf = ({ signingDomain, dkimSelector }: DkimKey): string =>
  `${dkimSelector}._domainkey.${signingDomain}`;

function publicFile(path: string, lines: readonly string[]): ExportedFile {
  return { path, content: lines.map((line) => `${line}\n`).join(""), isPrivate: false };
}

function leftOut(keys: readonly ExportedKey[], why: string): string[] {
  return keys.map(({ key }) => `${ownerOf(key)} is left out: ${why}`);
}

/** opendkim.conf(5): one signature algorithm for all keys, so RSA alone. */
function opendkim(keys: readonly ExportedKey[], folder: string): Export {
  const own = keys.filter(isRsa);
  return {
    files: [
      publicFile(
        "KeyTable",
        own.map(({ key }) => tableLine(key, `${folder}/${pathOf(key)}`)),
      ),
      publicFile(
        "SigningTable",
        own.map(({ key }) => `*@${key.signingDomain} ${ownerOf(key)}`),
      ),
      publicFile("opendkim.conf", [
        `KeyTable ${folder}/KeyTable`,
        `SigningTable refile:${folder}/SigningTable`,
        ...(hasSeveral(own) ? ["MultipleSignatures yes"] : []),
      ]),
      ...own.map(pemFile),
    ],
    notes: [
      ...leftOut(
        keys.filter((key) => !isRsa(key)),
        "OpenDKIM signs with one algorithm for all keys",
      ),
      "add the lines of opendkim.conf to OpenDKIM's own, give the keys to its user (chown -R opendkim), and restart it",
    ],
  };
}

const tableLine = (key: DkimKey, path: string): string =>
  `${ownerOf(key)} ${key.signingDomain}:${key.dkimSelector}:${path}`;

const byDomain = (keys: readonly ExportedKey[]): Map<DomainName, ExportedKey[]> =>
  Map.groupBy(keys, ({ key }) => key.signingDomain);
const hasSeveral = (keys: readonly ExportedKey[]): boolean => byDomain(keys).size < keys.length;

/**
 * Ed25519 keys are no PEM here: rspamd takes every PEM for RSA.
 * Maps for domains with one key; those with several have a block, for a map holds one line for a domain.
 * Without `use_esld = false` rspamd looks for the key of the registrable domain, and a key below it never signs; the
 * domain of the envelope would then have to be the very same, which that of bounces often is not.
 */
function rspamd(keys: readonly ExportedKey[], folder: string): Export {
  const domains = [...byDomain(keys)];
  const single = domains.flatMap(([, own]) => (own.length === 1 ? own : []));
  const several = domains.filter(([, own]) => own.length > 1);
  const fileOf = (key: DkimKey) => pathOf(key, key.publicKey.keyType === "rsa" ? "private" : "key");
  const blocks = several.flatMap(([domain, own]) => [
    `  "${domain}" {`,
    "    selectors [",
    ...own.map(
      ({ key }) => `      { selector = "${key.dkimSelector}"; path = "${folder}/${fileOf(key)}"; },`,
    ),
    "    ]",
    "  }",
  ]);
  return {
    files: [
      publicFile("dkim_signing.conf", [
        'use_domain = "header";',
        "use_esld = false;",
        "allow_hdrfrom_mismatch = true;",
        "allow_username_mismatch = true;",
        "try_fallback = false;",
        `selector_map = "${folder}/dkim_selectors.map";`,
        `path_map = "${folder}/dkim_paths.map";`,
        ...(blocks.length > 0 ? ["domain {", ...blocks, "}"] : []),
      ]),
      publicFile(
        "dkim_selectors.map",
        single.map(({ key }) => `${key.signingDomain} ${key.dkimSelector}`),
      ),
      publicFile(
        "dkim_paths.map",
        single.map(({ key }) => `${key.signingDomain} ${folder}/${fileOf(key)}`),
      ),
      ...keys.map((each) =>
        isRsa(each)
          ? pemFile(each)
          : { path: fileOf(each.key), content: privateSeedAndPublic(each.privateKey), isPrivate: true },
      ),
    ],
    notes: [
      "put dkim_signing.conf into /etc/rspamd/local.d, give the keys to rspamd's user (chown -R _rspamd), and reload it",
    ],
  };
}

function amavisd(keys: readonly ExportedKey[], folder: string): Export {
  const own = keys.filter(isRsa);
  return {
    files: [
      publicFile("60-dkim-keys", [
        "$enable_dkim_signing = 1;",
        ...own.map(
          ({ key }) => `dkim_key('${key.signingDomain}', '${key.dkimSelector}', '${folder}/${pathOf(key)}');`,
        ),
        "1;",
      ]),
      ...own.map(pemFile),
    ],
    notes: [
      ...leftOut(
        keys.filter((key) => !isRsa(key)),
        "amavisd signs with RSA keys",
      ),
      "put 60-dkim-keys into /etc/amavis/conf.d and let all read it (chmod 644), or put its lines into amavisd.conf; give the keys and their folder to amavisd's user (chown -R amavis), who has to read both; restart it",
    ],
  };
}

/** dkimpy-milter.conf(5): one table for each algorithm, and every signed domain in every table that is there. */
function dkimpy(keys: readonly ExportedKey[], folder: string): Export {
  const domains = [...byDomain(keys)];
  const table = (isOwn: (key: ExportedKey) => boolean) =>
    domains.flatMap(([, own]) => own.findLast(isOwn) ?? []);
  const [rsa, ed25519] = [table(isRsa), table((key) => !isRsa(key))];
  const whole = [rsa, ed25519].filter((each) => each.length === domains.length);
  const [signed = []] = whole;
  const withRsa = whole.includes(rsa);
  const withEd25519 = whole.includes(ed25519);
  const own = [...(withRsa ? rsa : []), ...(withEd25519 ? ed25519 : [])];
  const line = ({ key }: ExportedKey, ending: string) =>
    `${key.signingDomain} ${key.signingDomain}:${key.dkimSelector}:${folder}/${pathOf(key, ending)}`;
  return {
    files: [
      publicFile("dkimpy-milter.conf", [
        ...(withRsa ? [`KeyTable ${folder}/KeyTable`] : []),
        ...(withEd25519 ? [`KeyTableEd25519 ${folder}/KeyTableEd25519`] : []),
        `SigningTable refile:${folder}/SigningTable`,
      ]),
      ...(withRsa
        ? [
            publicFile(
              "KeyTable",
              rsa.map((each) => line(each, "private")),
            ),
          ]
        : []),
      ...(withEd25519
        ? [
            publicFile(
              "KeyTableEd25519",
              ed25519.map((each) => line(each, "key")),
            ),
          ]
        : []),
      publicFile(
        "SigningTable",
        signed.map(({ key }) => `*@${key.signingDomain} ${key.signingDomain}`),
      ),
      ...own.map((each) =>
        isRsa(each)
          ? pemFile(each)
          : { path: pathOf(each.key, "key"), content: privateSeed(each.privateKey), isPrivate: true },
      ),
    ],
    notes: [
      ...leftOut(
        keys.filter((key) => !own.includes(key)),
        "dkimpy-milter has one key of an algorithm for a domain, and needs every domain in each of its tables",
      ),
      "add the lines to /etc/dkimpy-milter/dkimpy-milter.conf, give the keys to its user (chown -R dkimpy-milter), and restart it",
    ],
  };
}
