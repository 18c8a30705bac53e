import { describe, expect, it } from "vitest";
import { a, cname } from "../../test/support/table-resolver.ts";
import { type Message, queryMessage, RCODES } from "../standards/dns/message.ts";
import { domainName } from "../standards/dns/name.ts";
import type { Rdata } from "../standards/dns/record.ts";
import type { UnknownCause } from "../standards/dns/resolver.ts";
import type { DnsQuery, DnsReply, DnsTransport } from "./dns-transport.ts";
import { createRecursiveView } from "./recursive-resolver.ts";

const name = domainName("www.example.org");
const server = { address: "192.0.2.53", port: 53 };
const record = (owner: string, data: Rdata, ttlSeconds = 300) => ({
  name: domainName(owner),
  ttlSeconds,
  data,
});
const soa = record("example.org", {
  type: "SOA",
  primary: name,
  mailbox: name,
  serial: 1,
  refreshSeconds: 1,
  retrySeconds: 1,
  expireSeconds: 1,
  minimumSeconds: 90,
});
const ns = record("org", { type: "NS", target: name });

/** A transport that answers from a function, and counts. */
function scripted(
  answer: (query: DnsQuery) => Partial<Message> | DnsReply,
): DnsTransport & { asked: DnsQuery[] } {
  const asked: DnsQuery[] = [];
  return {
    asked,
    strayCount: 0,
    sentCount: 0,
    close() {},
    async exchange(_server, query) {
      asked.push(query);
      const parts = answer(query);
      if ("ok" in parts) return parts;
      const head = queryMessage(1, query, { recursionDesired: true });
      return {
        ok: true,
        milliseconds: 1,
        message: { ...head, isResponse: true, recursionAvailable: true, ...parts },
      };
    },
  };
}

function viewOf(transport: DnsTransport, clock = { seconds: 0 }) {
  return createRecursiveView({ server, transport, now: () => clock.seconds * 1000 });
}

const extendedError = (infoCode: number, text: string) => ({
  udpPayloadOctets: 1232,
  version: 0,
  dnssecOk: false,
  options: [{ code: 15, data: Uint8Array.of(0, infoCode, ...new TextEncoder().encode(text)) }],
});
const answerWith = (...answers: Message["answers"]) => ({ answers });

describe("what a resolver's reply means", () => {
  const rows: [string, Partial<Message>, object][] = [
    ["records", answerWith(record("www.example.org", a("192.0.2.1"))), { status: "found", secure: false }],
    [
      "validated records",
      { ...answerWith(record("www.example.org", a("192.0.2.1"))), authenticData: true },
      { status: "found", secure: true },
    ],
    [
      "an alias with its end",
      answerWith(
        record("www.example.org", cname("web.example.com")),
        record("web.example.com", a("192.0.2.1")),
      ),
      { status: "found", aliases: [name], canonicalName: "web.example.com" },
    ],
    [
      "no such name",
      { rcode: RCODES.NXDOMAIN, authorities: [soa] },
      { status: "absent", kind: "nxdomain", negativeTtlSeconds: 90 },
    ],
    ["no such type", { authorities: [soa] }, { status: "absent", kind: "nodata" }],
    ["nothing at all, from a resolver", {}, { status: "absent", kind: "nodata" }],
    ["a referral", { authorities: [ns] }, { status: "unknown", cause: "refused" }],
    [
      "a referral without recursion",
      { authorities: [ns], recursionAvailable: false },
      { status: "unknown", cause: "refused" },
    ],
    ["nothing, without recursion", { recursionAvailable: false }, { status: "unknown", cause: "refused" }],
    [
      "NXDOMAIN without recursion or authority",
      { rcode: RCODES.NXDOMAIN, recursionAvailable: false },
      { status: "unknown", cause: "refused" },
    ],
    ["REFUSED", { rcode: RCODES.REFUSED }, { status: "unknown", cause: "refused" }],
    ["NOTIMP", { rcode: RCODES.NOTIMP }, { status: "unknown", cause: "servfail" }],
    [
      "records of another name",
      answerWith(record("example.com", a("192.0.2.1"))),
      { status: "unknown", cause: "malformed" },
    ],
    [
      "aliases in a circle",
      answerWith(
        record("www.example.org", cname("web.example.org")),
        record("web.example.org", cname("www.example.org")),
      ),
      { status: "unknown", cause: "loop" },
    ],
  ];
  it.each(rows)("%s", async (_, reply, expected) => {
    expect(await viewOf(scripted(() => reply)).lookup(name, "A")).toMatchObject(expected);
  });

  const failures: [string, Partial<Message>, Partial<Message>, UnknownCause, number][] = [
    ["validation failed", {}, answerWith(record("www.example.org", a("192.0.2.1"))), "bogus", 2],
    ["validation of an absence failed", {}, { rcode: RCODES.NXDOMAIN }, "bogus", 2],
    ["the zone's servers are broken", {}, { rcode: RCODES.SERVFAIL }, "servfail", 2],
    ["they could not be reached, as the resolver says", { edns: extendedError(22, "") }, {}, "servfail", 1],
  ];
  it.each(failures)("SERVFAIL where %s", async (_, checked, unchecked, cause, questions) => {
    const transport = scripted((query) =>
      query.checkingDisabled ? unchecked : { rcode: RCODES.SERVFAIL, ...checked },
    );
    expect(await viewOf(transport).lookup(name, "A")).toMatchObject({ status: "unknown", cause });
    expect(transport.asked.length).toBe(questions);
  });

  it("passes on the resolver's own words, without control characters", async () => {
    const edns = extendedError(7, "sig\x1b[31m old");
    const view = viewOf(
      scripted(({ checkingDisabled }) => (checkingDisabled ? {} : { rcode: RCODES.SERVFAIL, edns })),
    );
    expect(await view.lookup(name, "A")).toMatchObject({
      detail: "192.0.2.53 answers SERVFAIL (signature expired: sig [31m old)",
    });
  });

  it("asks for the rest of a chain that was cut", async () => {
    const transport = scripted(({ name: asked }) =>
      answerWith(
        asked === name
          ? record("www.example.org", cname("web.example.com"), 60)
          : record("web.example.com", a("192.0.2.1")),
      ),
    );
    expect(await viewOf(transport).lookup(name, "A")).toMatchObject({
      status: "found",
      canonicalName: "web.example.com",
    });
    expect(transport.asked.length).toBe(2);
  });

  it("counts TTLs down while an answer is kept, by the smallest of the chain", async () => {
    const clock = { seconds: 0 };
    const transport = scripted(() =>
      answerWith(
        record("www.example.org", cname("web.example.com"), 60),
        record("web.example.com", a("192.0.2.1")),
      ),
    );
    const view = viewOf(transport, clock);
    await view.lookup(name, "A");
    clock.seconds = 59;
    expect(await view.lookup(name, "A")).toMatchObject({ records: [{ ttlSeconds: 241 }] });
    expect(transport.asked.length).toBe(1);
    clock.seconds = 60;
    await view.lookup(name, "A");
    expect(transport.asked.length).toBe(2);
  });
});

it.each<[keepsAnswers: boolean | undefined, asked: number, why: string]>([
  [undefined, 1, "an answer is kept for as long as its TTL says"],
  [true, 1, "the same"],
  [false, 2, "who waits for a change asks the resolver each time"],
])("keepsAnswers %s: asked %i times: %s", async (keepsAnswers, asked) => {
  const transport = scripted(() => ({
    answers: [record("www.example.org", { type: "A", address: "192.0.2.1" })],
  }));
  const view = createRecursiveView({
    server,
    transport,
    now: () => 0,
    ...(keepsAnswers !== undefined && { keepsAnswers }),
  });
  await view.lookup(name, "A");
  await view.lookup(name, "A");
  expect(transport.asked).toHaveLength(asked);
});
