/** A signing program's configuration, told by what stands in it, and what it means for one domain. */
import type { DkimPublicKey } from "../../standards/dkim/public-key.ts";
import { type DkimSelector, tryDkimOwner } from "../../standards/dkim/selector.ts";
import { type DomainName, parseDomainName } from "../../standards/dns/name.ts";
import type { Parsed } from "../../standards/dns/parsed.ts";
import { readAmavisd } from "./amavisd.ts";
import {
  Collection,
  type ConfiguredKey,
  type FileRead,
  type Place,
  type ReadFile,
  SENDER_DOMAIN,
  type SignerConfiguration,
  type SignerFormat,
  type SigningRule,
} from "./configuration.ts";
import { publicHalfOf } from "./key-file.ts";
import { globMatches } from "./key-table.ts";
import { readOpenDkim } from "./opendkim.ts";
import { readRspamd } from "./rspamd.ts";

/** By the settings in it; by its name where they tell nothing, since a file without any says "the defaults". */
export function recognizeSigner(path: string, text: string): SignerFormat | undefined {
  if (/^[^#\n]*\bdkim_key[ \t]*\(/m.test(text)) return "amavisd";
  const isDkimpy = /dkimpy/i.test(path) || /^[ \t]*(KeyTable|KeyFile|Selector)Ed25519[ \t]/im.test(text);
  if (
    /^[ \t]*(KeyTable|SigningTable|KeyFile|Selector|KeyTableEd25519|KeyFileEd25519)[ \t]+[^\s={]/im.test(text)
  )
    return isDkimpy ? "dkimpy-milter" : "opendkim";
  if (
    /^[ \t]*[{"]*(dkim_signing|selector|path|domain|selector_map|path_map|signing_table)"?[ \t]*[={:]/im.test(
      text,
    )
  )
    return "rspamd";
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (/opendkim/i.test(name)) return "opendkim";
  if (/dkimpy/i.test(name)) return "dkimpy-milter";
  if (/dkim_signing/i.test(name)) return "rspamd";
  return /amavis/i.test(name) ? "amavisd" : undefined;
}

/** Files that it names are read with `readFile`; key files only when a domain is asked for. */
export function readSigner(path: string, text: string, readFile: ReadFile): Parsed<SignerConfiguration> {
  const format = recognizeSigner(path, text);
  if (format === undefined) {
    return {
      ok: false,
      problem:
        "it is no configuration of OpenDKIM, dkimpy-milter, rspamd (dkim_signing.conf) or amavisd; name the file in which the tables and keys are named",
    };
  }
  const collection = new Collection(path, readFile);
  let applies: SignerConfiguration["applies"] = "first";
  let usesOrganizationalDomain = false;
  switch (format) {
    case "opendkim":
    case "dkimpy-milter":
      applies = readOpenDkim(text, collection);
      break;
    case "rspamd":
      usesOrganizationalDomain = readRspamd(text, collection);
      break;
    case "amavisd":
      readAmavisd(text, collection);
      break;
    default:
      format satisfies never;
  }
  const { rules, problems, isComplete } = collection;
  return {
    ok: true,
    value: { format, path, rules, applies, usesOrganizationalDomain, problems, isComplete },
  };
}

/** A key that signs with the domain in d=. */
export interface SigningKey {
  readonly dkimSelector: DkimSelector;
  /** Why there is none: key files are often for their owner's eyes alone. */
  readonly key: Parsed<DkimPublicKey>;
  readonly place: Place;
}

/** What a signer does for one domain. */
export interface DomainSigning {
  readonly path: string;
  readonly keys: readonly SigningKey[];
  /** Other domains that stand in d= of the domain's mail. */
  readonly signedAs: readonly DomainName[];
  /** False where the configuration may name more than could be read. */
  readonly isComplete: boolean;
}

/** The domains that a configuration names in full, in its own order. */
export function signedDomains({ rules }: SignerConfiguration): DomainName[] {
  const names = rules.flatMap(({ keys, senders }) =>
    keys.map(({ signingDomain }) => (signingDomain === SENDER_DOMAIN ? senders.host : signingDomain)),
  );
  const parsed = names.filter((name) => !name.includes("*")).map(parseDomainName);
  return [...new Set(parsed.flatMap((name) => (name.ok ? [name.value] : [])))];
}

/** Gives what a configuration does for a domain; many domains may be asked for. */
export function signingOf(
  configuration: SignerConfiguration,
  readFile: ReadFile,
  organizationalDomain: (name: DomainName) => DomainName | undefined,
): (domain: DomainName) => DomainSigning {
  const { rules, applies, path, isComplete, usesOrganizationalDomain } = configuration;
  const numbered = rules.map((rule, at) => ({ rule, at }));
  const isPattern = ({ rule }: { rule: SigningRule }) => rule.senders.host.includes("*");
  const patterns = numbered.filter(isPattern);
  const named = Map.groupBy(
    numbered.filter((one) => !isPattern(one)),
    ({ rule }) => rule.senders.host,
  );
  const bySigningDomain = new Map<string, SigningRule[]>();
  for (const rule of rules) {
    for (const domain of new Set(rule.keys.map(({ signingDomain }) => signingDomain))) {
      const known = bySigningDomain.get(domain);
      if (known === undefined) bySigningDomain.set(domain, [rule]);
      else known.push(rule);
    }
  }

  const matching = (host: string): SigningRule[] => {
    const candidates = [
      ...(named.get(host) ?? []),
      ...patterns.filter(({ rule }) => globMatches(rule.senders.host, host)),
    ].sort((one, other) => one.at - other.at);
    const end = candidates.findIndex(({ rule }) => rule.senders.local === "*");
    const used = applies === "all" || end < 0 ? candidates : candidates.slice(0, end + 1);
    return used.map(({ rule }) => rule);
  };

  return (domain) => {
    const host = usesOrganizationalDomain ? (organizationalDomain(domain) ?? domain) : domain;
    const own = matching(host);
    // Mail of others that is signed in the name of this domain.
    const others = (bySigningDomain.get(domain) ?? []).filter(
      ({ senders }) => !globMatches(senders.host, host),
    );
    const keys: SigningKey[] = [];
    const signedAs = new Set<DomainName>();
    const seen = new Set<ConfiguredKey>();
    let isWhole = isComplete;
    for (const { keys: configured, needsKeyFile } of [...own, ...others]) {
      for (const one of configured) {
        if (seen.has(one)) continue;
        seen.add(one);
        const signingDomain = one.signingDomain === SENDER_DOMAIN ? host : one.signingDomain;
        const { status, key } = readKey(one, signingDomain, readFile);
        if (needsKeyFile && status !== "read") {
          // A folder that is closed to us may hold the file or not.
          if (status === "refused") isWhole = false;
          continue;
        }
        if (signingDomain === domain) {
          const { dkimSelector, place } = one;
          if (tryDkimOwner(dkimSelector, domain) === undefined) continue;
          keys.push({ dkimSelector, key, place });
        } else signedAs.add(signingDomain as DomainName);
      }
    }
    return { path, keys, signedAs: [...signedAs], isComplete: isWhole };
  };
}

function readKey(
  { key, dkimSelector }: ConfiguredKey,
  signingDomain: string,
  readFile: ReadFile,
): { readonly status: FileRead["status"]; readonly key: Parsed<DkimPublicKey> } {
  if ("half" in key) return { status: "read", key: key.half };
  const file = key.file.replaceAll("$domain", signingDomain).replaceAll("$selector", dkimSelector);
  // The domain may come from a stranger's list; in a path it must not climb.
  const read: FileRead = /[/\\]/.test(signingDomain)
    ? { status: "absent", problem: "there is no such file" }
    : readFile(file);
  const half = read.status === "read" ? publicHalfOf(read.text) : ({ ok: false, ...read } as const);
  return {
    status: read.status,
    key: half.ok ? half : { ok: false, problem: `${file}: ${half.problem}` },
  };
}
