/** The small internet of the tour: a root, a parent, reverse zones, and example.org with three mistakes in it. */
import { type DomainName, domainName, isWithin, ROOT } from "../../standards/dns/name.ts";
import type { Rdata, ResourceRecord } from "../../standards/dns/record.ts";
import { toCharacterStrings } from "../../standards/dns/record.ts";
import type { ServedZone } from "./tools.ts";

/** A public key made for this tour; its private half was never kept. */
const PUBLIC_KEY =
  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAjC5JR51j6s9m/cXjfbH8lh20J1SqbeVOjgJE" +
  "XIDw5SuJdSOC1L9++B1KzQ8tLP2sgCECQg4xSCiCuynNV3j3Mdy2y/W/DL8xPfzyMg5tzbYgKFnzijNJ" +
  "Rmtl3cCzGZ8z8N8wLrI4WkH5saVR6lIPebjc31Vd5G7iCmR6ZXLZyM26FrZulG74ISj4TT3KqNPoC4M1" +
  "Z4P7bRPdepyG7YS8GCsSzk74x0+BX/AkTDwDCU7g0x9OWNEQrWv1nzwcwFWUiorn5v/01vAPIAP6Q9qr" +
  "HFresffqEJcsIMwpTTCIiXYpHiP1IKfJzoc5eeq1WqbAThw6z3sXIMDXVfkxb5A96wIDAQAB";

export const TOUR_DOMAIN = domainName("example.org");

/** The description that the tour starts from. */
export const TOUR_DESCRIPTION = `servers:
  - host: mail.example.org
    addresses: [192.0.2.25, "2001:db8::25"]

domains:
  - domain: example.org
    dkim:
      - selector: default
        publicKey: ${PUBLIC_KEY}
    dmarc:
      policy: quarantine
`;

/** Where the name servers of each zone listen; all on one port. */
export const ROOT_ADDRESS = "127.0.0.1";
const PARENT_ADDRESS = "127.0.0.2";
export const ZONE_ADDRESSES = ["127.0.0.3", "127.0.0.4"] as const;

const REVERSE_ZONES = [domainName("2.0.192.in-addr.arpa"), domainName("8.b.d.0.1.0.0.2.ip6.arpa")];

const TTL_SECONDS = 3600;
const record = (name: DomainName, data: Rdata): ResourceRecord => ({ name, ttlSeconds: TTL_SECONDS, data });

function zone(apex: DomainName, servers: readonly string[], records: readonly ResourceRecord[]): ServedZone {
  const names = servers.map((_, at) => serverName(apex, at));
  return {
    apex,
    records: [
      record(apex, {
        type: "SOA",
        primary: names[0]!,
        mailbox: domainName("hostmaster.example.org"),
        serial: 1,
        refreshSeconds: 7200,
        retrySeconds: 900,
        expireSeconds: 1_209_600,
        minimumSeconds: 300,
      }),
      ...delegation(apex, servers),
      ...records,
    ],
  };
}

function serverName(apex: DomainName, at: number): DomainName {
  return domainName(apex === ROOT ? "root.example.org" : `ns${at + 1}.${apex}`);
}

/** NS records with the addresses of their targets. */
function delegation(apex: DomainName, servers: readonly string[]): ResourceRecord[] {
  return servers.flatMap((address, at) => [
    record(apex, { type: "NS", target: serverName(apex, at) }),
    ...(apex === ROOT ? [] : [record(serverName(apex, at), { type: "A", address })]),
  ]);
}

/** What each address serves: the root, the parent with the reverse zones, and the domain on two name servers. */
export function tourZones(
  records: readonly ResourceRecord[],
): { readonly address: string; readonly zones: readonly ServedZone[] }[] {
  const org = domainName("org");
  const own = records.filter(({ name }) => isWithin(name, TOUR_DOMAIN));
  return [
    {
      address: ROOT_ADDRESS,
      zones: [
        zone(
          ROOT,
          [ROOT_ADDRESS],
          [org, ...REVERSE_ZONES].flatMap((apex) => delegation(apex, [PARENT_ADDRESS])),
        ),
      ],
    },
    {
      address: PARENT_ADDRESS,
      zones: [
        zone(org, [PARENT_ADDRESS], delegation(TOUR_DOMAIN, ZONE_ADDRESSES)),
        ...REVERSE_ZONES.map((apex) =>
          zone(
            apex,
            [PARENT_ADDRESS],
            records.filter(({ name }) => isWithin(name, apex)),
          ),
        ),
      ],
    },
    ...ZONE_ADDRESSES.map((address) => ({ address, zones: [zone(TOUR_DOMAIN, ZONE_ADDRESSES, own)] })),
  ];
}

/** Records of the domain's that are not Zonepost's: they stay as they are, whatever happens. */
export const FOREIGN_RECORDS: readonly ResourceRecord[] = [
  record(TOUR_DOMAIN, { type: "A", address: "192.0.2.80" }),
  record(TOUR_DOMAIN, { type: "AAAA", address: "2001:db8::80" }),
  record(domainName("www.example.org"), { type: "CNAME", target: TOUR_DOMAIN }),
];

/** Three mistakes that tutorials warn of, or make themselves. */
export const MISTAKES = [
  "the MX holds an IP address instead of a host name",
  "the DKIM key was entered at example.org instead of default._domainkey.example.org",
  "the DMARC record lost its report address to an editor: p=none;;; fo=1",
];

/** The zone as somebody typed it in by hand. */
export function withMistakes(records: readonly ResourceRecord[]): ResourceRecord[] {
  return records.map((each) => {
    const { name, data } = each;
    if (data.type === "MX")
      return { ...each, data: { ...data, exchange: domainName("192.0.2.25.example.org") } };
    if (name.startsWith("default._domainkey.")) return { ...each, name: TOUR_DOMAIN };
    if (name.startsWith("_dmarc.")) {
      return {
        ...each,
        data: { type: "TXT", strings: toCharacterStrings("v=DMARC1; p=none;;; fo=1; rf=afrf; sp=none") },
      };
    }
    return each;
  });
}
