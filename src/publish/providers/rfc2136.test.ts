/** What the provider makes of each answer; real servers are in test/servers/update.test.ts. */
import { describe, expect, it } from "vitest";
import { changeOf, rrsetIn } from "../../../test/contract/provider.ts";
import { type Message, queryMessage, RCODES } from "../../standards/dns/message.ts";
import { domainName } from "../../standards/dns/name.ts";
import { parseZoneText } from "../../standards/dns/zone-text.ts";
import type {
  DnsUpdateClient,
  ExchangeOutcome,
  TransferOutcome,
  UnverifiedReply,
} from "../dns-update-client.ts";
import { createRfc2136Provider } from "./rfc2136.ts";

const zone = domainName("example.org");
const change = changeOf(undefined, rrsetIn(zone, "mail", "A", ["192.0.2.1"]));
const NOW = Date.UTC(2026, 10, 21, 7, 30) / 1000;

const reply = (rcode: number): Message => ({
  ...queryMessage(1, { name: zone, type: "SOA" }, { recursionDesired: false }),
  isResponse: true,
  rcode,
});
const answered = (rcode: keyof typeof RCODES): ExchangeOutcome => ({
  status: "answered",
  message: reply(RCODES[rcode]),
});
const unverified = (verdict: UnverifiedReply) => ({ status: "unverified" as const, verdict, ourTime: NOW });
const transferred = (text: string): TransferOutcome => {
  const { records, problems } = parseZoneText(`$TTL 60\n@ SOA ns h 5 1 1 1 1\n@ NS ns\n${text}`, {
    origin: zone,
  });
  expect(problems).toEqual([]);
  return { status: "transferred", records };
};

interface Scene {
  readonly exchange?: ExchangeOutcome;
  readonly transfer?: TransferOutcome;
  readonly serves?: boolean | "unknown";
  readonly keyed?: boolean;
}
function providerOf({ exchange, transfer, serves = true, keyed = true }: Scene) {
  const client: DnsUpdateClient = {
    server: "192.0.2.53",
    ...(keyed && { keyName: domainName("key.example.org") }),
    exchange: async () => exchange!,
    transfer: async () => transfer!,
    serves: async () => serves,
  };
  return createRfc2136Provider(client);
}

describe("apply", () => {
  const nothing = transferred("");
  const rows: [reason: string, scene: Scene, expected: object][] = [
    ["done", { exchange: answered("NOERROR") }, { status: "applied" }],
    [
      "stale: what it is, the zone tells",
      { exchange: answered("YXRRSET"), transfer: transferred("mail A 192.0.2.9\n") },
      { status: "stale", changes: [change], detail: expect.stringContaining("mail.example.org A") },
    ],
    [
      "stale, and the zone cannot be read: everything may be",
      {
        exchange: answered("YXRRSET"),
        transfer: { status: "unreachable", detail: "192.0.2.53: ETIMEDOUT", sent: false },
      },
      { status: "stale", changes: [change], detail: expect.stringContaining("ETIMEDOUT") },
    ],
    [
      "stale for a moment only",
      { exchange: answered("YXRRSET"), transfer: nothing },
      { status: "stale", changes: [change], detail: expect.stringContaining("for a moment") },
    ],
    [
      "an alias in the way",
      { exchange: answered("YXRRSET"), transfer: transferred("mail CNAME ns\n") },
      { status: "failed", cause: "refused", detail: expect.stringContaining("CNAME stands alone") },
    ],
    [
      "policy",
      { exchange: answered("REFUSED") },
      { status: "failed", cause: "refused", detail: expect.stringContaining('the key "key.example.org"') },
    ],
    [
      "no key where one is asked for",
      { exchange: answered("REFUSED"), keyed: false },
      { status: "failed", cause: "credentials", detail: expect.stringContaining("may ask for a key") },
    ],
    ["not its zone", { exchange: answered("NOTAUTH"), serves: false }, { cause: "no-zone" }],
    [
      "its zone, but not for us",
      { exchange: answered("NOTAUTH"), serves: true },
      { status: "failed", cause: "credentials" },
    ],
    ["no updates", { exchange: answered("NOTIMP") }, { status: "failed", cause: "refused" }],
    ["trouble there", { exchange: answered("SERVFAIL") }, { status: "failed", cause: "provider-error" }],
    [
      "never sent: nothing was changed",
      { exchange: { status: "unreachable", detail: "192.0.2.53: ECONNREFUSED", sent: false } },
      { status: "failed", cause: "unreachable" },
    ],
    [
      "sent, and no answer: nobody knows",
      { exchange: { status: "unreachable", detail: "192.0.2.53: ECONNRESET", sent: true } },
      { status: "interrupted", applied: [], failure: { cause: "unreachable" } },
    ],
    [
      "an answer that is garbage: nobody knows",
      { exchange: { status: "unreadable", problem: "cut off" } },
      { status: "interrupted", failure: { cause: "unreachable" } },
    ],
    [
      "an unsigned yes is nobody's yes",
      { exchange: unverified({ status: "unsigned", message: reply(RCODES.NOERROR) }) },
      { status: "interrupted", failure: { cause: "not-authentic" } },
    ],
    [
      "so is one with a signature that does not fit",
      { exchange: unverified({ status: "forged", problem: "its MAC does not fit" }) },
      { status: "interrupted", failure: { cause: "not-authentic" } },
    ],
    [
      "an unsigned no: PowerDNS with a key that it does not know",
      { exchange: unverified({ status: "unsigned", message: reply(RCODES.REFUSED) }) },
      { status: "failed", cause: "credentials" },
    ],
    [
      "an unsigned no: a zone that it does not have",
      { exchange: unverified({ status: "unsigned", message: reply(RCODES.NOTAUTH) }), serves: false },
      { status: "failed", cause: "no-zone" },
    ],
    [
      "an unknown key",
      { exchange: unverified({ status: "refused", error: "BADKEY", isSigned: false }) },
      { status: "failed", cause: "credentials", detail: expect.stringContaining("does not know the key") },
    ],
    [
      "another secret",
      { exchange: unverified({ status: "refused", error: "BADSIG", isSigned: false }) },
      { status: "failed", cause: "credentials", detail: expect.stringContaining("another secret") },
    ],
    [
      "clocks",
      {
        exchange: unverified({
          status: "refused",
          error: "BADTIME",
          isSigned: true,
          serverTime: NOW + 3600,
        }),
      },
      {
        status: "failed",
        cause: "clock",
        detail:
          "At 192.0.2.53 it is 2026-11-21 08:30:00 UTC, and here it is 2026-11-21 07:30:00 UTC. Set the clocks right.",
      },
    ],
    [
      "clocks, with a time beyond all calendars",
      {
        exchange: unverified({
          status: "refused",
          error: "BADTIME",
          isSigned: true,
          serverTime: 2 ** 48 - 1,
        }),
      },
      { status: "failed", cause: "clock", detail: expect.stringContaining("second 281474976710655") },
    ],
    [
      "signed at another time: replayed, or clocks; nobody knows",
      { exchange: unverified({ status: "untimely", timeSigned: NOW - 3600 }) },
      { status: "interrupted", failure: { cause: "clock" } },
    ],
  ];
  it.each(rows)("%s", async (_reason, scene, expected) => {
    expect(await providerOf(scene).apply(zone, [change])).toMatchObject(expected);
  });

  it("asks nobody about changes that cannot be", async () => {
    const outside = changeOf(undefined, rrsetIn(domainName("example.net"), "mail", "A", ["192.0.2.1"]));
    expect(await providerOf({}).apply(zone, [outside])).toMatchObject({ status: "failed", cause: "refused" });
    expect(await providerOf({}).apply(zone, [])).toEqual({ status: "applied" });
  });

  it("says where changes are too many for one message", async () => {
    const provider = createRfc2136Provider({
      server: "192.0.2.53",
      exchange: async () => {
        throw new RangeError("the message has 70000 octets; 65535 are allowed");
      },
      transfer: async () => transferred(""),
      serves: async () => true,
    });
    expect(await provider.apply(zone, [change])).toMatchObject({
      status: "failed",
      cause: "refused",
      detail: expect.stringContaining("Make fewer at a time"),
    });
  });
});

describe("readZone", () => {
  it("leaves out the SOA, and what signing makes, and puts records together", async () => {
    const transfer = transferred(`mail A 192.0.2.1
mail A 192.0.2.2
mail 30 A 192.0.2.3
mail RRSIG A 13 3 60 20300101000000 20200101000000 1 example.org. AAAA
mail NSEC ns A RRSIG
@ TYPE65534 \\# 5 0d00000000
@ TYPE60 \\# 5 0d00000000
@ DNSKEY 257 3 13 AAAA
sub NS ns.sub
sub DS 1 13 2 00
`);
    const outcome = await providerOf({ transfer }).readZone(zone);
    if (outcome.status !== "read") throw new Error(outcome.detail);
    expect(outcome.content.serial).toBe(5);
    expect(outcome.content.rrsets.map(({ name, type, data }) => `${name} ${type} ${data.length}`)).toEqual([
      "example.org NS 1",
      "mail.example.org A 3",
      "sub.example.org NS 1",
      "sub.example.org DS 1",
    ]);
    expect(outcome.content.rrsets[1]?.ttlSeconds).toBe(30);
  });

  it.each<[reason: string, scene: Scene, cause: string]>([
    ["denied, and it serves the zone", { transfer: { status: "denied", rcode: 5 } }, "credentials"],
    ["denied, and it does not", { transfer: { status: "denied", rcode: 9 }, serves: false }, "no-zone"],
    [
      "denied, and it does not say",
      { transfer: { status: "denied", rcode: 5 }, serves: "unknown" },
      "credentials",
    ],
    ["trouble there", { transfer: { status: "denied", rcode: 2 } }, "provider-error"],
    ["no signature", { transfer: unverified({ status: "unsigned", message: reply(0) }) }, "not-authentic"],
    ["garbage", { transfer: { status: "unreadable", problem: "cut off" } }, "unreachable"],
  ])("%s", async (_reason, scene, cause) => {
    expect(await providerOf(scene).readZone(zone)).toMatchObject({ status: "failed", cause });
  });
});
