/** Packets that break a rule, each refused at the octet that breaks it; and a storm of damaged ones. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { anyRecord } from "../../../test/support/arbitrary-records.ts";
import { fc } from "../../../test/support/random-inputs.ts";
import { decodeMessage, encodeMessage, type Message, queryMessage } from "./message.ts";
import { domainName } from "./name.ts";
import { type RecordType, typeCode } from "./record.ts";

/** A header with these counts, and what follows it, in hex; blanks are free. */
function packet(
  counts: { qd?: number; an?: number; ns?: number; ar?: number },
  ...body: string[]
): Uint8Array {
  const { qd = 0, an = 0, ns = 0, ar = 0 } = counts;
  const head = ["00018000", ...[qd, an, ns, ar].map((count) => count.toString(16).padStart(4, "0"))];
  return Uint8Array.from(Buffer.from([...head, ...body].join("").replaceAll(" ", ""), "hex"));
}

/** A record at the root, class IN, TTL 0: its data starts 11 octets behind it. */
function record(type: RecordType | number, data: string): string {
  const code = typeof type === "number" ? type : typeCode(type);
  const hex = data.replaceAll(" ", "");
  return `00${code.toString(16).padStart(4, "0")}000100000000${(hex.length / 2).toString(16).padStart(4, "0")}${hex}`;
}

const BODY = 12;
const DATA = BODY + 11;
const question = (name: string) => packet({ qd: 1 }, name, "00010001");
const answer = (type: RecordType, data: string) => packet({ an: 1 }, record(type, data));
const additional = (...records: string[]) => packet({ ar: records.length }, ...records);
const label = (length: number) => length.toString(16).padStart(2, "0") + "61".repeat(length);
const OPT = "00 0029 04d0 00000000 0000";
const TSIG = record("TSIG", "00 000000000001 012c 0000 0001 0000 0000").replace("0001", "00ff");

describe("malformed messages", () => {
  it.each<[string, Uint8Array, string, number]>([
    ["nothing", new Uint8Array(), "header is cut off", 0],
    ["eleven octets", packet({}).slice(0, 11), "header is cut off", 10],
    ["a question that is not there", packet({ qd: 1 }), "question name is cut off", 12],
    ["a question without its type", packet({ qd: 1 }, "00"), "question type is cut off", 13],
    ["a question without its class", packet({ qd: 1 }, "000001"), "question class is cut off", 15],
    ["octets behind the message", packet({}, "0000"), "2 octets behind the message", 12],
    ["65,535 answers announced, none there", packet({ an: 0xffff }), "owner name is cut off", 12],

    ["a label cut short", packet({ qd: 1 }, "05616263"), "question name is cut off", 12],
    ["a name without its end", packet({ qd: 1 }, "03616263"), "question name is cut off", 16],
    ["a label of 64 octets", question(`${label(64)}00`), "question name has a label of an unknown kind", 12],
    ["an extended label (0x41)", question("4100"), "question name has a label of an unknown kind", 12],
    ["a label of the kind 0x80", question("8000"), "question name has a label of an unknown kind", 12],
    [
      "a name of 256 octets",
      question(`${label(63).repeat(3)}${label(62)}00`),
      "question name is longer than 255 octets",
      BODY + 192,
    ],
    [
      "a name of 257 octets by way of a pointer",
      packet({ qd: 2 }, `${label(63).repeat(3)}${label(61)}00 00010001`, "0161 c00c 00010001"),
      "question name is longer than 255 octets",
      BODY + 192,
    ],
    ["a pointer to itself", question("c00c"), "question name has a pointer that does not lead backwards", 12],
    ["a pointer forwards", question("c00e"), "question name has a pointer that does not lead backwards", 12],
    [
      "a pointer beyond the packet",
      question("ffff"),
      "question name has a pointer that does not lead backwards",
      12,
    ],
    ["half a pointer", packet({ qd: 1 }, "c0"), "question name is cut off", 12],
    [
      "two pointers at each other",
      packet({ qd: 2 }, "00 00010001", "0161 c013 00010001"),
      "question name has a pointer that does not lead backwards",
      19,
    ],
    [
      "a loop through a label",
      question("0161 c00c"),
      "question name has a pointer that does not lead backwards",
      14,
    ],
    [
      "a pointer into the header, where no name ends",
      question("c002"),
      "question name has a label of an unknown kind",
      2,
    ],

    [
      "a record without its data length",
      packet({ an: 1 }, "00 0001 0001 00000000"),
      "data length is cut off",
      21,
    ],
    [
      "record data beyond the packet",
      packet({ an: 1 }, "00 0001 0001 00000000 0004 c00002"),
      "record data is cut off",
      DATA,
    ],
    ["OPT among the answers", packet({ an: 1 }, OPT), "OPT in the answer section", BODY],
    ["TSIG among the authorities", packet({ ns: 1 }, TSIG), "TSIG in the authority section", BODY],
    ["two OPT records", additional(OPT, OPT), "a second OPT record", BODY + 11],
    [
      "OPT at a name",
      packet({ ar: 1 }, OPT.replace("00 ", "0161 00 ")),
      "OPT at a name other than the root",
      BODY,
    ],
    [
      "an EDNS option cut short",
      additional(OPT.replace(/0000$/, "0005 000a 0004 aa")),
      "EDNS option is cut off",
      DATA + 4,
    ],
    [
      "an EDNS option's head cut short",
      additional(OPT.replace(/0000$/, "0002 000a")),
      "EDNS option length is cut off",
      DATA + 2,
    ],
    ["a record behind TSIG", additional(TSIG, OPT), "a record behind TSIG", BODY + TSIG.length / 2],
    ["a second TSIG", additional(TSIG, TSIG), "a record behind TSIG", BODY + TSIG.length / 2],

    ["A of 3 octets", answer("A", "c00002"), "A address is cut off", DATA],
    ["A of 5 octets", answer("A", "c000020100"), "1 octets too many in A data", DATA + 4],
    ["A without data", answer("A", ""), "A address is cut off", DATA],
    ["AAAA of 15 octets", answer("AAAA", "20".repeat(15)), "AAAA address is cut off", DATA],
    ["NS without its end", answer("NS", "0161"), "NS target is cut off", DATA + 2],
    ["NS with more behind", answer("NS", "0000"), "1 octets too many in NS data", DATA + 1],
    [
      "CNAME that leaves its data",
      packet({ an: 2 }, record("CNAME", "0361"), record("A", "c0000201")),
      "CNAME target is cut off",
      DATA,
    ],
    ["PTR with half a pointer", answer("PTR", "c0"), "PTR target is cut off", DATA],
    [
      "SOA without its minimum",
      answer("SOA", `0000${"00000001".repeat(4)}`),
      "SOA minimum is cut off",
      DATA + 18,
    ],
    ["SOA without its mailbox", answer("SOA", "00"), "SOA mailbox is cut off", DATA + 1],
    ["MX of one octet", answer("MX", "00"), "MX preference is cut off", DATA],
    ["MX without its exchange", answer("MX", "000a"), "MX exchange is cut off", DATA + 2],
    ["TXT without a string", answer("TXT", ""), "TXT string is cut off", DATA],
    ["TXT cut short", answer("TXT", "0161 0561"), "TXT string is cut off", DATA + 3],
    ["SRV without its target", answer("SRV", "000000000019"), "SRV target is cut off", DATA + 6],
    ["CAA without a tag", answer("CAA", "00"), "CAA tag is cut off", DATA + 1],
    ["CAA with an empty tag", answer("CAA", "00 00 61"), "CAA tag is empty", DATA + 1],
    ["CAA with a tag cut short", answer("CAA", "00 05 6973"), "CAA tag is cut off", DATA + 2],
    ["TLSA of two octets", answer("TLSA", "0301"), "TLSA matching type is cut off", DATA + 2],
    ["DS of three octets", answer("DS", "000108"), "DS digest type is cut off", DATA + 3],
    ["DNSKEY of three octets", answer("DNSKEY", "010003"), "DNSKEY algorithm is cut off", DATA + 3],
    ["RRSIG without its signer", answer("RRSIG", "00".repeat(18)), "RRSIG signer is cut off", DATA + 18],
    [
      "RRSIG with a compressed signer",
      answer("RRSIG", `${"00".repeat(18)}c00c`),
      "RRSIG signer is compressed where that is forbidden",
      DATA + 18,
    ],
    [
      "NSEC with a compressed name",
      answer("NSEC", "c00c"),
      "NSEC next name is compressed where that is forbidden",
      DATA,
    ],
    ["NSEC bitmap of length 0", answer("NSEC", "00 0000"), "a type bitmap window of 0 octets", DATA + 2],
    [
      "NSEC bitmap of length 33",
      answer("NSEC", `00 0021${"ff".repeat(33)}`),
      "a type bitmap window of 33 octets",
      DATA + 2,
    ],
    ["NSEC bitmap cut short", answer("NSEC", "00 0002 40"), "type bitmap is cut off", DATA + 3],
    [
      "NSEC bitmap windows in the wrong order",
      answer("NSEC", "00 010140 000140"),
      "type bitmap windows are out of order",
      DATA + 4,
    ],
    [
      "NSEC bitmap window twice",
      answer("NSEC", "00 000140 000140"),
      "type bitmap windows are out of order",
      DATA + 4,
    ],
    ["NSEC3 salt cut short", answer("NSEC3", "01 00 0000 04 aabb"), "NSEC3 salt is cut off", DATA + 5],
    [
      "NSEC3 hash cut short",
      answer("NSEC3", "01 00 0000 00 14 aabb"),
      "NSEC3 next hashed owner is cut off",
      DATA + 6,
    ],
    [
      "HTTPS with a compressed target",
      answer("HTTPS", "0001 c00c"),
      "HTTPS target is compressed where that is forbidden",
      DATA + 2,
    ],
    [
      "SVCB parameters in the wrong order",
      answer("SVCB", "0001 00 00030000 00010000"),
      "SVCB parameters are out of order",
      DATA + 7,
    ],
    [
      "SVCB parameter twice",
      answer("SVCB", "0001 00 00030000 00030000"),
      "SVCB parameters are out of order",
      DATA + 7,
    ],
    [
      "SVCB parameter cut short",
      answer("SVCB", "0001 00 0003 0002 01"),
      "SVCB parameter is cut off",
      DATA + 7,
    ],
    [
      "TSIG with its MAC cut short",
      additional(record("TSIG", "00 000000000001 012c 0020 aabb")),
      "TSIG MAC is cut off",
      DATA + 11,
    ],
  ])("%s", (_what, octets, problem, offset) => {
    expect(decodeMessage(octets)).toEqual({ ok: false, problem, offset });
  });

  it("reads the longest name there may be, and pointers that lead backwards in many steps", () => {
    const longest = decodeMessage(question(`${label(63).repeat(3)}${label(61)}00`));
    expect(longest.ok && longest.value.questions[0]!.name).toHaveLength(253);
    // each question's name is a pointer at the one before
    const chain = (length: number) => {
      const at = (n: number) => (n === 0 ? BODY : BODY + 5 + 6 * (n - 1));
      const pointers = Array.from({ length }, (_, n) => `${(0xc000 + at(n)).toString(16)} 00010001`);
      return decodeMessage(packet({ qd: length + 1 }, "00 00010001", ...pointers));
    };
    expect(chain(127).ok).toBe(true);
    expect(chain(128)).toEqual({
      ok: false,
      problem: "question name has too many pointers",
      offset: BODY + 5,
    });
  });

  it("counts a TTL with the top bit set as zero (RFC 2181 §8)", () => {
    const decoded = decodeMessage(packet({ an: 1 }, "00 0001 0001 80000001 0004 c0000201"));
    expect(decoded.ok && decoded.value.answers[0]!.ttlSeconds).toBe(0);
  });
});

/** Small, fast and the same every time (xorshift32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function damage(octets: Uint8Array, random: (below: number) => number): Uint8Array {
  const changed = octets.slice();
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(changed.length);
    const kind = random(4);
    if (kind === 0) changed[at]! ^= 1 << random(8);
    else if (kind === 1) changed[at] = random(256);
    else if (kind === 2) changed[at] = [0, 1, 0x3f, 0x40, 0xc0, 0xff][random(6)]!;
    else changed.copyWithin(at, random(changed.length), random(changed.length));
  }
  return random(4) === 0 ? changed.subarray(0, random(changed.length + 1)) : changed;
}

describe("damaged messages", () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const query = queryMessage(7, { name: domainName("example.org"), type: "MX" }, { recursionDesired: true });
  const edns = {
    udpPayloadOctets: 1232,
    version: 0,
    dnssecOk: true,
    options: [{ code: 15, data: Uint8Array.of(0, 7) }],
  };
  const whole = fc
    .sample(fc.array(anyRecord, { minLength: 1, maxLength: 9 }), { numRuns: 60, seed: 1 })
    .map(
      (records, at): Message => ({
        ...query,
        isResponse: true,
        answers: records.slice(0, 4),
        authorities: records.slice(4, 6),
        additionals: records.slice(6),
        ...(at % 2 === 0 && { edns }),
      }),
    )
    .map(encodeMessage);

  it("200,000 of them: an answer or a place in the packet, never a crash, and nothing kept", () => {
    const random = randomNumbers(0x5eed);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    let read = 0;
    for (let n = 0; n < 200_000; n++) {
      const octets = damage(whole[n % whole.length]!, random);
      const decoded = decodeMessage(octets);
      if (decoded.ok) read++;
      else if (!(decoded.offset! >= 0 && decoded.offset! <= octets.length)) {
        expect.fail(`${decoded.problem} at ${decoded.offset} of ${Buffer.from(octets).toString("hex")}`);
      }
    }
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 2 ** 20);
    expect(read, "some are read all the same, and some are not").toBeGreaterThan(1000);
    expect(read).toBeLessThan(199_000);
  });

  it("what is read can be written and read again as the same", () => {
    const random = randomNumbers(0xca11);
    let compared = 0;
    for (let n = 0; n < 20_000; n++) {
      const decoded = decodeMessage(damage(whole[n % whole.length]!, random));
      if (!decoded.ok) continue;
      expect(decodeMessage(encodeMessage(decoded.value))).toEqual(decoded);
      compared++;
    }
    expect(compared).toBeGreaterThan(100);
  });
});
