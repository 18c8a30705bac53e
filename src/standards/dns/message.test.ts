import { describe, expect, it } from "vitest";
import { anyName, anyRecord, octets, rdataOfType, uint16 } from "../../../test/support/arbitrary-records.ts";
import { fc } from "../../../test/support/random-inputs.ts";
import {
  decodeMessage,
  encodeMessage,
  extendedErrors,
  type Message,
  queryMessage,
  RCODES,
} from "./message.ts";
import { domainName } from "./name.ts";

const exampleOrg = domainName("example.org");
const query = queryMessage(0x1234, { name: exampleOrg, type: "MX" }, { recursionDesired: true });

describe("messages", () => {
  it("writes the octets of RFC 1035 §4.1", () => {
    expect(Buffer.from(encodeMessage(query)).toString("hex")).toBe(
      "12340100000100000000000007 6578616d706c65 036f726700 000f0001".replaceAll(" ", ""),
    );
  });

  it("compresses names, and reads them back", () => {
    const reply: Message = {
      ...query,
      isResponse: true,
      answers: [
        {
          name: exampleOrg,
          ttlSeconds: 300,
          data: { type: "MX", preference: 10, exchange: domainName("mail.example.org") },
        },
      ],
    };
    const octets = encodeMessage(reply);
    expect(octets.length).toBe(12 + 17 + 2 + 10 + 2 + 7);
    expect(decodeMessage(octets)).toEqual({ ok: true, value: reply });
  });

  it("joins the two halves of an extended RCODE and reads extended errors", () => {
    const text = new TextEncoder().encode("signature expired");
    const edns = {
      udpPayloadOctets: 1232,
      version: 0,
      dnssecOk: true,
      options: [{ code: 15, data: Uint8Array.of(0, 7, ...text) }],
    };
    const decoded = decodeMessage(encodeMessage({ ...query, rcode: RCODES.BADCOOKIE, edns }));
    expect(decoded).toMatchObject({ ok: true, value: { rcode: RCODES.BADCOOKIE, edns } });
    expect(decoded.ok && extendedErrors(decoded.value)).toEqual([
      { infoCode: 7, purpose: "signature expired", extraText: "signature expired" },
    ]);
  });
});

describe("any message", () => {
  const records = fc.array(anyRecord, { maxLength: 6 });
  const message: fc.Arbitrary<Message> = fc.record(
    {
      id: uint16,
      isResponse: fc.boolean(),
      opcode: fc.integer({ min: 0, max: 15 }),
      authoritative: fc.boolean(),
      truncated: fc.boolean(),
      recursionDesired: fc.boolean(),
      recursionAvailable: fc.boolean(),
      authenticData: fc.boolean(),
      checkingDisabled: fc.boolean(),
      rcode: fc.integer({ min: 0, max: 15 }),
      questions: fc.array(fc.record({ name: anyName, type: fc.constantFrom("A", "MX", "TYPE65280") }), {
        maxLength: 2,
      }),
      answers: records,
      authorities: records,
      additionals: records,
      edns: fc.record({
        udpPayloadOctets: uint16,
        version: fc.integer({ min: 0, max: 255 }),
        dnssecOk: fc.boolean(),
        options: fc.array(fc.record({ code: uint16, data: octets() }), { maxLength: 3 }),
      }),
    },
    {
      noNullPrototype: true,
      requiredKeys: [
        "id",
        "isResponse",
        "opcode",
        "authoritative",
        "truncated",
        "recursionDesired",
        "recursionAvailable",
        "authenticData",
        "checkingDisabled",
        "rcode",
        "questions",
        "answers",
        "authorities",
        "additionals",
      ],
    },
  );

  it("is read back as it was written", () => {
    fc.assert(
      fc.property(message, (sent) => {
        expect(decodeMessage(encodeMessage(sent))).toEqual({ ok: true, value: sent });
      }),
      { numRuns: 400 },
    );
  });

  it("with TSIG says where the signed part ends (RFC 8945 §5.1)", () => {
    fc.assert(
      fc.property(message, anyName, rdataOfType("TSIG"), (sent, name, data) => {
        if (data.type !== "TSIG") return;
        const record = { name, ttlSeconds: 0, data, classCode: 255 };
        const unsigned = encodeMessage(sent).length;
        const decoded = decodeMessage(encodeMessage({ ...sent, tsig: { record, offset: 0 } }));
        expect(decoded).toEqual({ ok: true, value: { ...sent, tsig: { record, offset: unsigned } } });
      }),
      { numRuns: 100 },
    );
  });

  it("keeps the bare records of updates (RFC 2136 §2.4)", () => {
    const bare = { type: "OPAQUE" as const, typeCode: 1, octets: new Uint8Array() };
    const update = {
      ...query,
      opcode: 5,
      answers: [{ name: exampleOrg, ttlSeconds: 0, classCode: 255, data: bare }],
    };
    expect(decodeMessage(encodeMessage(update))).toEqual({ ok: true, value: update });
  });

  it.each<[string, () => Message, string]>([
    ["an id", () => ({ ...query, id: 65_536 }), "id: 65536 is not a whole number of 0 to 65535"],
    ["an RCODE without EDNS", () => ({ ...query, rcode: 16 }), "RCODE 16 needs EDNS"],
    [
      "a string of 256 octets",
      () => ({
        ...query,
        answers: [{ name: exampleOrg, ttlSeconds: 0, data: { type: "TXT", strings: ["x".repeat(256)] } }],
      }),
      "TXT string has 256 octets; a string holds 255",
    ],
    [
      "a message of more than 65,535 octets",
      () => ({
        ...query,
        answers: Array.from({ length: 2 }, () => ({
          name: exampleOrg,
          ttlSeconds: 0,
          data: { type: "OPAQUE" as const, typeCode: 65_280, octets: new Uint8Array(40_000) },
        })),
      }),
      "the message has 80053 octets; 65535 are allowed",
    ],
  ])("refuses what a packet cannot hold: %s", (_what, make, problem) => {
    expect(() => encodeMessage(make())).toThrow(new RangeError(problem));
  });
});
