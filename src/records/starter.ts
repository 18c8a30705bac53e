/** The first description of a mail server, written for people to go on with. */
import type { DkimSelector } from "../standards/dkim/selector.ts";
import type { IpAddress } from "../standards/dns/address.ts";
import type { DomainName } from "../standards/dns/name.ts";

export interface Starter {
  readonly domains: readonly DomainName[];
  /** Undefined for domains without mail. */
  readonly server?: { readonly host: DomainName; readonly addresses: readonly IpAddress[] };
  /** A selector whose key is not known yet stands in the file as a comment. */
  readonly dkim: StarterKey;
  /** What signers use, by domain; where one has keys, they stand in the place of `dkim`. */
  readonly signing?: ReadonlyMap<DomainName, readonly StarterKey[]>;
}

export interface StarterKey {
  readonly selector: DkimSelector;
  readonly publicKey?: string;
}

/** YAML with a word on each choice; `parseDescription` reads it back. */
export function formatStarter({ domains, server, dkim, signing }: Starter): string {
  const lines = [
    "# What Zonepost knows of your mail. All keys: zonepost schema",
    ...(server === undefined ? [] : serverLines(server)),
    "",
    "domains:",
    ...domains.flatMap((domain) => {
      if (server === undefined) return noMailLines(domain);
      const keys = signing?.get(domain) ?? [];
      return domainLines(domain, keys.length > 0 ? keys : [dkim]);
    }),
  ];
  return `${lines.join("\n")}\n`;
}

function serverLines({ host, addresses }: NonNullable<Starter["server"]>): string[] {
  return [
    "",
    "servers:",
    `  - host: ${host} # its MX, PTR and HELO name; Postfix: myhostname`,
    "    addresses:",
    ...addresses.map(({ text, family }) => `      - ${family === 6 ? `"${text}"` : text}`),
    "    addressKind: static # dynamic or moving: short TTLs",
    "    services: [smtp, submissions, imaps]",
  ];
}

function domainLines(domain: DomainName, keys: readonly StarterKey[]): string[] {
  return [
    `  - domain: ${domain} # what comes after the @; Postfix: virtual_mailbox_domains or mydestination`,
    "    spf:",
    "      mechanisms: [mx, a, addresses]",
    "      ending: softfail # fail (-all) once every sender is known",
    ...dkimLines(keys),
    "    dmarc:",
    "      policy: none # watch for a month, then quarantine",
    `      reports: dmarc@${domain}`,
  ];
}

function dkimLines(keys: readonly StarterKey[]): string[] {
  const known = keys.filter(({ publicKey }) => publicKey !== undefined);
  const unknown = keys.filter(({ publicKey }) => publicKey === undefined);
  return [
    known.length > 0 ? "    dkim:" : "    # dkim: # once your signer has a key",
    ...known.flatMap(({ selector, publicKey }) => [
      `      - selector: ${quoted(selector)}`,
      `        publicKey: ${JSON.stringify(publicKey)}`,
    ]),
    ...unknown.flatMap(({ selector }) => [
      `    #   - selector: ${quoted(selector)}`,
      `    #     file: ${quoted(`${selector}.txt`)} # the record or public key that it made`,
    ]),
  ];
}

function noMailLines(domain: DomainName): string[] {
  return [`  - domain: ${domain}`, "    receives: false", "    sends: false"];
}

/** mail.example.org for example.org: what a server is called where nobody says. */
export function usualHost(domain: DomainName): string {
  return `mail.${domain}`;
}

/** Words stand as they are; YAML would read 2024 as a number, and null or true as no text at all. */
function quoted(text: string): string {
  const isWord = /^[a-z][a-z0-9._-]*$/.test(text) && !/^(null|true|false)$/.test(text);
  return isWord ? text : JSON.stringify(text);
}
