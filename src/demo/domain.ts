/** The domains of the demo: what is described, what is published instead, and what was wrong before. Plain data. */
import type { FindingCode } from "../check/catalogue.ts";
import type { KeyState } from "../keys/key.ts";
import { SERVER_TLSA } from "./certificate.ts";

export interface DemoKey {
  readonly selector: string;
  readonly state: Extract<KeyState, "published" | "signing" | "retiring">;
  /** Since when it is in this state. */
  readonly hoursAgo: number;
}

/** Something that was wrong for a time, and is not any more. */
export interface PastTrouble {
  readonly code: FindingCode;
  /** In front of the domain's name; empty for the domain itself. */
  readonly label: string;
  readonly observed: string;
  readonly fromDaysAgo: number;
  readonly toDaysAgo: number;
}

export interface DemoDomain {
  readonly domain: string;
  /** The account that it belongs to; administrators alone where absent. */
  readonly owner?: "olga";
  /** As in zonepost.yaml, but for the keys. */
  readonly content: Readonly<Record<string, unknown>>;
  readonly keys: readonly DemoKey[];
  /** Derived records that are not published: "florist.example TXT", or "_dmarc.*" for whatever begins so. */
  readonly without?: readonly string[];
  /** Zone lines with absolute names that are published beside; `{key}` is the public key. */
  readonly also?: readonly string[];
  readonly past?: readonly PastTrouble[];
  /** What is published was published by Zonepost: it knows its own records. */
  readonly isPublished?: boolean;
  /** Its name servers take every question, and say nothing. */
  readonly isSilent?: boolean;
  /** With a DS, a key and signatures that nobody verifies: the demo has no resolver. */
  readonly isSigned?: boolean;
  /** Described a moment ago, and not looked at yet. */
  readonly isNew?: boolean;
}

/** What all domains share. */
export const DEMO_SERVERS: Readonly<Record<string, unknown>> = {
  servers: [
    { host: "mail.example.org", addresses: ["192.0.2.25", "2001:db8::25"] },
    { host: "mail.example.net", addresses: ["192.0.2.26"] },
    {
      host: "mail.example.com",
      addresses: ["192.0.2.27", "2001:db8::27"],
      tlsa: [{ record: SERVER_TLSA.replace(/.{8}$/, "00000000") }],
    },
  ],
};

/** Of these nobody has set the PTR. */
export const WITHOUT_PTR: readonly string[] = ["192.0.2.26"];
/** Hosts whose certificate has run out. */
export const EXPIRED_DAYS_AGO = 3;
export const EXPIRED_HOSTS: readonly string[] = ["mail.example.com"];
/** Hosts that answer every path with 404. */
export const EMPTY_HOSTS: readonly string[] = ["mta-sts.example.com"];
/** Zones without a description: where keys live that others point to. */
export const DELEGATED_ZONE = "keys.example";

const FIRST = "mail.example.org";
/** Mail by one of the servers, and no set-up of mail programs: that needs a web server. */
const by = (host: string, more: Readonly<Record<string, unknown>> = {}) => ({
  mx: [host],
  spf: { servers: [host], mechanisms: ["mx", "addresses"] },
  clientSetup: false,
  dmarc: { policy: "reject" },
  ...more,
});
const signing = (selector: string, days: number): DemoKey => ({
  selector,
  state: "signing",
  hoursAgo: days * 24,
});

export const DEMO_DOMAINS: readonly DemoDomain[] = [
  {
    domain: "example.org",
    content: by(FIRST, {
      mtaSts: { mode: "enforce", maxAgeSeconds: 604_800 },
      tlsReports: "tls@example.org",
      caa: ["letsencrypt.org"],
    }),
    keys: [signing("s202610", 33)],
    isPublished: true,
    isSigned: true,
    past: [
      { code: "ptr-missing", label: "mail", observed: "none", fromDaysAgo: 41, toDaysAgo: 40 },
      {
        code: "spf-several-records",
        label: "",
        observed: "v=spf1 mx -all | v=spf1 mx ~all",
        fromDaysAgo: 24,
        toDaysAgo: 23,
      },
    ],
  },
  {
    domain: "bakery.example",
    owner: "olga",
    content: by(FIRST, { tlsReports: "tls@bakery.example" }),
    keys: [signing("s202609", 60)],
    isPublished: true,
    past: [{ code: "dmarc-missing", label: "_dmarc", observed: "none", fromDaysAgo: 42, toDaysAgo: 36 }],
  },
  {
    domain: "florist.example",
    owner: "olga",
    content: by(FIRST),
    keys: [signing("s202611", 1)],
    without: ["florist.example TXT", "_dmarc.*", "*._domainkey.*"],
  },
  {
    domain: "example.net",
    content: by("mail.example.net"),
    keys: [signing("default", 200)],
    without: ["default._domainkey.*"],
    also: [`default._domainkey.example.net. TXT "v=DKIM1; k=rsa; p=\\"{key}\\""`],
    past: [
      {
        code: "smtp-timeout",
        label: "mail",
        observed: "no answer from 192.0.2.26 port 25",
        fromDaysAgo: 19,
        toDaysAgo: 18,
      },
    ],
  },
  {
    domain: "example.com",
    content: by("mail.example.com", { mtaSts: { mode: "enforce" } }),
    keys: [signing("mail", 400)],
  },
  {
    domain: "cinema.example",
    content: by(FIRST),
    keys: [signing("default", 90)],
    without: ["_dmarc.*"],
    also: [
      `_dmarc.cinema.example.cinema.example. TXT "v=DMARC1; p=reject"`,
      `cinema.example. TXT "v=spf1 include:_spf.example.org ~all"`,
    ],
  },
  {
    domain: "garage.example",
    content: by(FIRST),
    keys: [signing("default", 700)],
    without: ["garage.example TXT"],
    also: [`garage.example. TXT "v=spf1 mx +all"`],
  },
  {
    domain: "harbour.example",
    content: by(FIRST),
    keys: [signing("default", 900)],
    without: ["_dmarc.*"],
    also: [
      `_dmarc.harbour.example. TXT "v=DMARC1; p=none;;; fo=1; rf=afrf; sp=none"`,
      "*.harbour.example. MX 10 mail.example.org.",
    ],
  },
  {
    domain: "clinic.example",
    content: by(FIRST),
    keys: [signing("default", 120)],
    without: ["clinic.example MX"],
    also: ["clinic.example. MX 10 192.0.2.25.clinic.example."],
  },
  {
    domain: "gallery.example",
    owner: "olga",
    content: by(FIRST),
    keys: [signing("default", 50)],
    without: ["gallery.example MX", "gallery.example TXT"],
    also: ["gallery.example. CNAME www.example.org."],
    past: [{ code: "mx-missing", label: "", observed: "none", fromDaysAgo: 30, toDaysAgo: 27 }],
  },
  {
    domain: "school.example",
    content: by(FIRST),
    keys: [signing("s202605", 180), { selector: "s202611", state: "published", hoursAgo: 0.4 }],
    isPublished: true,
  },
  {
    domain: "library.example",
    content: by(FIRST),
    keys: [{ selector: "s202604", state: "retiring", hoursAgo: 60 }, signing("s202611", 2.5)],
    isPublished: true,
  },
  {
    domain: "museum.example",
    owner: "olga",
    content: by(FIRST, { delegation: { zone: DELEGATED_ZONE, records: ["dkim", "dmarc"] } }),
    keys: [signing("s202610", 40)],
  },
  {
    domain: "lighthouse.example",
    content: by(FIRST),
    keys: [signing("default", 80)],
    isSilent: true,
  },
  {
    domain: "orchard.example",
    owner: "olga",
    content: by(FIRST),
    keys: [],
    without: ["*"],
    isNew: true,
  },
];
