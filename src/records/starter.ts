/** The first description of a mail server, written for people to go on with. */
import type { IpAddress } from "../standards/dns/address.ts";
import { type DomainName, labelTexts } from "../standards/dns/name.ts";

export interface Starter {
  readonly domains: readonly DomainName[];
  /** Undefined for domains without mail. */
  readonly server?: { readonly host: DomainName; readonly addresses: readonly IpAddress[] };
  readonly dkim?: { readonly selector: string; readonly publicKey: string };
}

/** YAML with a word on each choice; `parseDescription` reads it back. */
export function formatStarter({ domains, server, dkim }: Starter): string {
  const lines = [
    "# What Zonepost knows of your mail. All keys: zonepost schema",
    ...(server === undefined ? [] : serverLines(server)),
    "",
    "domains:",
    ...domains.flatMap((domain) => (server === undefined ? noMailLines(domain) : domainLines(domain, dkim))),
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

function domainLines(domain: DomainName, dkim: Starter["dkim"]): string[] {
  return [
    `  - domain: ${domain} # what comes after the @; Postfix: virtual_mailbox_domains or mydestination`,
    "    spf:",
    "      mechanisms: [mx, a, addresses]",
    "      ending: softfail # fail (-all) once every sender is known",
    ...(dkim === undefined
      ? [
          "    # dkim:",
          "    #   - selector: default",
          "    #     file: default.txt # the record or public key that your signer made",
        ]
      : [
          "    dkim:",
          `      - selector: ${dkim.selector}`,
          `        publicKey: ${JSON.stringify(dkim.publicKey)}`,
        ]),
    "    dmarc:",
    "      policy: none # watch for a month, then quarantine",
    `      reports: dmarc@${domain}`,
  ];
}

function noMailLines(domain: DomainName): string[] {
  return [`  - domain: ${domain}`, "    receives: false", "    sends: false"];
}

/** mail.example.org for example.org: what a server is called where nobody says. */
export function usualHost(domain: DomainName): string {
  return `mail.${labelTexts(domain).join(".")}`;
}
