/** TSIG, against a signer written from RFC 8945 a second time, octet by octet. */
import { createHmac } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { decodeMessage, encodeMessage, type Message, queryMessage } from "./message.ts";
import { domainName } from "./name.ts";
import { parseTsigAlgorithm, parseTsigKey, signMessage, TsigChain, verifyReply } from "./tsig.ts";

const SECRET = Buffer.alloc(32, 7);
const NOW = 1_795_000_000;

function keyOf(algorithm: string, name = "Key.Example.Org.") {
  const key = parseTsigKey({ name, algorithm, secret: SECRET.toString("base64") });
  if (!key.ok) throw new Error(key.problem);
  return key.value;
}

const key = keyOf("hmac-sha256");
const request = queryMessage(
  0x1234,
  { name: domainName("example.org"), type: "SOA" },
  { recursionDesired: false },
);
const reply: Message = {
  ...request,
  isResponse: true,
  authoritative: true,
  answers: [
    {
      name: domainName("example.org"),
      ttlSeconds: 300,
      data: { type: "MX", preference: 10, exchange: domainName("mail.example.org") },
    },
  ],
};

const uint = (value: number, octets: number) => {
  const buffer = Buffer.alloc(octets);
  buffer.writeUIntBE(value, 0, octets);
  return buffer;
};
const wireName = (text: string) =>
  Buffer.concat([
    ...text.split(".").map((label) => Buffer.concat([uint(label.length, 1), Buffer.from(label)])),
    uint(0, 1),
  ]);

interface Vector {
  readonly prior?: Buffer;
  readonly time?: number;
  readonly fudge?: number;
  readonly error?: number;
  readonly other?: Buffer;
  readonly algorithm?: string;
  readonly timersOnly?: boolean;
  /** Unsigned messages before this one. */
  readonly before?: readonly Uint8Array[];
  readonly secret?: Buffer;
}

/** The signed octets and the MAC, put together by hand from RFC 8945 §4.2 and §4.3. */
function signByHand(message: Message, vector: Vector = {}): { octets: Uint8Array; mac: Buffer } {
  const { time = NOW, fudge = 300, error = 0, other = Buffer.alloc(0), algorithm = "hmac-sha256" } = vector;
  const octets = Buffer.from(encodeMessage(message));
  const timers = Buffer.concat([uint(time, 6), uint(fudge, 2)]);
  const ending = Buffer.concat([uint(error, 2), uint(other.length, 2), other]);
  const head = Buffer.concat([wireName("key.example.org"), uint(255, 2), uint(0, 4), wireName(algorithm)]);
  const prior = vector.prior ? Buffer.concat([uint(vector.prior.length, 2), vector.prior]) : Buffer.alloc(0);
  const covered = Buffer.concat([
    prior,
    ...(vector.before ?? []),
    octets,
    ...(vector.timersOnly ? [timers] : [head, timers, ending]),
  ]);
  const mac = createHmac(algorithm.slice(5), vector.secret ?? SECRET)
    .update(covered)
    .digest();
  const data = Buffer.concat([
    wireName(algorithm),
    timers,
    uint(mac.length, 2),
    mac,
    uint(message.id, 2),
    ending,
  ]);
  const record = Buffer.concat([
    wireName("key.example.org"),
    uint(250, 2),
    uint(255, 2),
    uint(0, 4),
    uint(data.length, 2),
    data,
  ]);
  const signed = Buffer.concat([octets, record]);
  signed.writeUInt16BE(signed.readUInt16BE(10) + 1, 10);
  return { octets: new Uint8Array(signed), mac };
}

describe("keys", () => {
  it.each<[text: string, expected: string, reason: string]>([
    ["hmac-sha256", "hmac-sha256", "as it is"],
    ["HMAC-SHA512.", "hmac-sha512", "as a name"],
    ["hmac-sha384", "hmac-sha384", "the one between"],
    ["hmac-sha1", "SHA-1 is not to be used", "too weak"],
    ["hmac-md5.sig-alg.reg.int", "MD5 is not to be used", "far too weak"],
    ["hmac-md5", "MD5 is not to be used", "by its short name"],
    ["hmac-sha256-128", "truncated", "not done"],
    ["sha", "is not a TSIG algorithm", "no such thing"],
    ["constructor", "is not a TSIG algorithm", "no key of the table"],
  ])("%s → %s (%s)", (text, expected) => {
    const parsed = parseTsigAlgorithm(text);
    if (parsed.ok) expect(parsed.value).toBe(expected);
    else expect(parsed.problem).toContain(expected);
  });

  it.each<[secret: string, problem: string | undefined, reason: string]>([
    ["BwcHBw==", undefined, "four octets"],
    ["Bwc HBw\n==", undefined, "copied over two lines"],
    ["", "base64", "nothing"],
    ["BwcH*", "base64", "no base64"],
    ["BwcHB", "base64", "a character too many"],
  ])("secret %j → %s (%s)", (secret, problem) => {
    const parsed = parseTsigKey({ name: "k", algorithm: "hmac-sha256", secret });
    expect(parsed.ok ? undefined : parsed.problem).toEqual(
      problem === undefined ? undefined : expect.stringContaining(problem),
    );
  });

  it("show no secret", () => {
    expect(inspect(key, { depth: 9, showHidden: true })).not.toMatch(/0[67] 0[67]|BwcH/);
    expect(JSON.stringify(key)).not.toContain("Bwc");
  });
});

describe("signing", () => {
  it.each(["hmac-sha256", "hmac-sha384", "hmac-sha512"])("%s makes the octets of RFC 8945", (algorithm) => {
    const ours = signMessage(request, keyOf(algorithm), { timeSigned: NOW });
    const theirs = signByHand(request, { algorithm });
    expect(Buffer.from(ours.octets).toString("hex")).toBe(Buffer.from(theirs.octets).toString("hex"));
    const decoded = decodeMessage(ours.octets);
    expect(decoded.ok && decoded.value.tsig?.record.data.mac).toEqual(new Uint8Array(ours.mac));
  });

  it("a message that has no room for it is refused", () => {
    const full: Message = {
      ...reply,
      answers: Array.from({ length: 256 }, (_, at) => ({
        name: domainName("example.org"),
        ttlSeconds: 0,
        data: { type: "TXT" as const, strings: ["x".repeat(at === 0 ? 150 : 243)] },
      })),
    };
    expect(encodeMessage(full).length).toBeGreaterThan(65_450);
    expect(() => signMessage(full, key, { timeSigned: NOW })).toThrow(RangeError);
  });
});

const requestMac = Buffer.alloc(32, 9);
const options = { now: NOW, requestId: 0x1234, requestMac };

describe("a reply", () => {
  const notAuth: Message = { ...reply, rcode: 9, answers: [] };
  const unsignedError = (error: number, other = Buffer.alloc(0), message = notAuth): Uint8Array => {
    const data = {
      type: "TSIG" as const,
      algorithm: domainName("hmac-sha256"),
      timeSigned: NOW,
      fudgeSeconds: 300,
      mac: new Uint8Array(0),
      originalId: 0x1234,
      error,
      otherData: new Uint8Array(other),
    };
    const record = { name: key.name, ttlSeconds: 0, classCode: 255, data };
    return encodeMessage({ ...message, tsig: { record, offset: 0 } });
  };
  const hand = (message: Message, vector: Vector = {}) =>
    signByHand(message, { prior: requestMac, ...vector }).octets;

  it.each(
    (
      [
        [hand(reply), { status: "verified" }, "signed as it should be"],
        [
          hand({ ...reply, rcode: 5 }),
          { status: "verified" },
          "an error that has nothing to do with the key",
        ],
        [hand(reply, { time: NOW - 300 }), { status: "verified" }, "at the edge of the fudge"],
        [
          hand(reply, { time: NOW - 301 }),
          { status: "untimely", timeSigned: NOW - 301 },
          "a second too old; may be replayed",
        ],
        [hand(reply, { time: NOW + 301 }), { status: "untimely" }, "from the future"],
        [hand(reply, { prior: Buffer.alloc(32, 8) }), { status: "forged" }, "an answer to another request"],
        [hand(reply, { secret: Buffer.alloc(32, 6) }), { status: "forged" }, "another secret"],
        [
          signMessage(reply, keyOf("hmac-sha256", "other."), { timeSigned: NOW, requestMac }).octets,
          { status: "forged", problem: expect.stringContaining("another key, other.") },
          "another key's name",
        ],
        [
          signMessage(reply, keyOf("hmac-sha512"), { timeSigned: NOW, requestMac }).octets,
          { status: "forged" },
          "another algorithm",
        ],
        [hand({ ...reply, id: 0x1235 }), { status: "malformed" }, "another id"],
        [hand({ ...reply, isResponse: false }), { status: "malformed" }, "a request"],
        [encodeMessage(reply), { status: "unsigned" }, "no signature at all"],
        [Uint8Array.of(1, 2, 3), { status: "malformed" }, "no message"],
        [unsignedError(16), { status: "refused", error: "BADSIG", isSigned: false }, "RFC 8945 §5.2.2"],
        [unsignedError(17), { status: "refused", error: "BADKEY", isSigned: false }, "RFC 8945 §5.2.1"],
        [unsignedError(0), { status: "unsigned" }, "an empty MAC without an error proves nothing"],
        [unsignedError(17, undefined, reply), { status: "unsigned" }, "an error in TSIG alone, with NOERROR"],
        [
          hand(notAuth, { error: 18, time: NOW, other: uint(NOW + 3600, 6) }),
          { status: "refused", error: "BADTIME", isSigned: true, serverTime: NOW + 3600 },
          "RFC 8945 §5.2.3",
        ],
        [
          hand(notAuth, { error: 18, other: uint(NOW, 6), secret: Buffer.alloc(32) }),
          { status: "forged" },
          "a BADTIME that anybody may have made",
        ],
        [
          hand(notAuth, { error: 22 }),
          { status: "refused", error: "BADTRUNC", isSigned: true },
          "RFC 8945 §5.2.4",
        ],
        [hand(notAuth, { error: 99 }), { status: "malformed" }, "an error without a name"],
      ] satisfies [octets: Uint8Array, expected: object, reason: string][]
    ).map(([octets, expected, reason]) => ({ octets, expected, reason })),
  )("$reason", ({ octets, expected }) => {
    expect(verifyReply(octets, key, options)).toMatchObject(expected);
  });

  it("is refused whichever bit is turned", () => {
    const octets = hand(reply);
    const before = octets.length - (17 + 10 + 13 + 16 + 32);
    for (let bit = 0; bit < 8 * octets.length; bit++) {
      const turned = Uint8Array.from(octets);
      turned[bit >> 3]! ^= 0x80 >> (bit & 7);
      const verdict = verifyReply(turned, key, options);
      if (verdict.status !== "verified") continue;
      // RFC 8945 §4.3.3: names of key and algorithm count in lower case, so only the case of their letters may change
      expect(bit >> 3).toBeGreaterThanOrEqual(before);
      expect(bit & 7, `bit ${bit}`).toBe(2);
      expect(String.fromCharCode(octets[bit >> 3]!)).toMatch(/[a-z]/);
    }
  });

  it("is refused with anything else in its place, and never throws", () => {
    const octets = hand(reply);
    fc.assert(
      fc.property(
        fc.nat(octets.length - 1),
        fc.uint8Array({ minLength: 1, maxLength: 20 }),
        (at, replacement) => {
          const changed = Uint8Array.from(octets);
          changed.set(replacement.subarray(0, octets.length - at), at);
          const folded = (it: Uint8Array) => Buffer.from(it).toString("latin1").toLowerCase();
          fc.pre(folded(changed) !== folded(octets));
          expect(verifyReply(changed, key, options).status).not.toBe("verified");
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("a reply of several messages", () => {
  const later: Message = { ...reply, questions: [] };
  const unsigned = encodeMessage(later);

  function chainOf(unsignedBetween: number[], vector: Vector = {}): Uint8Array[] {
    const first = signByHand(reply, { prior: requestMac });
    const octets = [first.octets];
    let prior = first.mac;
    for (const count of unsignedBetween) {
      const before = Array.from({ length: count }, () => unsigned);
      const next = signByHand(later, { prior, before, timersOnly: true, ...vector });
      octets.push(...before, next.octets);
      prior = next.mac;
    }
    return octets;
  }
  const verdicts = (messages: readonly Uint8Array[]) => {
    const chain = new TsigChain(key, options);
    return messages.map((octets) => chain.take(octets, NOW).status);
  };

  it.each(
    (
      [
        [chainOf([]), "verified", "one message is a reply like any other"],
        [chainOf([0, 0, 0]), "verified", "each signed"],
        [chainOf([3, 0, 99]), "verified", "up to 99 in a row without"],
        [[...chainOf([0]), unsigned], "unsigned-yet", "the last is not signed: not done"],
        [[...chainOf([0]), ...Array(100).fill(unsigned)], "forged", "a hundred in a row"],
        [[unsigned, ...chainOf([])], "unsigned", "the first must be signed"],
        [chainOf([1, 1]).toSpliced(1, 1), "forged", "one left out"],
        [chainOf([1, 1]).toSpliced(1, 0, unsigned), "forged", "one put in"],
        [chainOf([0, 0]).toSpliced(1, 1), "forged", "a signed one left out"],
        [chainOf([0], { timersOnly: false }), "forged", "signed as if it were alone"],
        [chainOf([0], { time: NOW - 10 }), "forged", "time runs backwards"],
        [chainOf([0], { time: NOW + 1000 }), "untimely", "out of its time"],
      ] satisfies [messages: Uint8Array[], last: string, reason: string][]
    ).map(([messages, last, reason]) => ({ messages, last, reason })),
  )("$reason: $last", ({ messages, last }) => {
    const seen = verdicts(messages);
    const failed = seen.findIndex((status) => status !== "verified" && status !== "unsigned-yet");
    expect(failed < 0 ? seen.at(-1) : seen[failed]).toBe(last);
    if (last === "verified") expect(seen).toHaveLength(messages.length);
  });

  it("is refused whichever message is changed", () => {
    const messages = chainOf([2, 0]);
    messages.forEach((octets, at) => {
      const changed = Uint8Array.from(octets);
      changed[40]! ^= 1;
      const seen = verdicts(messages.with(at, changed));
      expect(seen, `message ${at}`).not.toEqual(verdicts(messages));
      expect(seen.some((status) => status === "forged" || status === "malformed")).toBe(true);
    });
  });
});
