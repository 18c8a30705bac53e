import { describe, expect, it } from "vitest";
import { negotiation, packet, readReplies, uint32 } from "../../test/support/milter-mta.ts";
import type { HeaderChange, MailAction } from "./mail-handler.ts";
import { encodeOutcome } from "./outcome-packets.ts";
import { MAX_PACKET_OCTETS, PacketDecoder } from "./packet-decoder.ts";
import { ACCEPT, encodeNegotiation } from "./protocol.ts";

describe("encoding", () => {
  it("frames replies by length and letter", () => {
    expect([...ACCEPT]).toEqual([0, 0, 0, 1, 0x61]);
    const lists = { connect: ["j", "{daemon_name}"], endOfBody: ["i"] };
    expect(Buffer.from(encodeNegotiation({ version: 6, actions: 0x111, steps: 0x17_f788 }, lists))).toEqual(
      packet("O", `${uint32(6, 0x111, 0x17_f788, 0)}j {daemon_name}\0${uint32(5)}i\0`),
    );
    expect(Buffer.from(encodeNegotiation({ version: 2, actions: 1, steps: 0 }))).toEqual(
      negotiation(2, 0, 1),
    );
  });
});

const insert = (index: number, name: string, value = " x"): HeaderChange => ({
  kind: "insert",
  index,
  name,
  value,
});
const remove = (name: string, occurrence: number): HeaderChange => ({ kind: "remove", name, occurrence });
const accept: MailAction = { kind: "accept" };
const reply = (code: number, status: string, text: string): MailAction => ({
  kind: "reply",
  code,
  status,
  text,
});
const LEADING = { version: 6, actions: 0x1ff, steps: 0x10_0000 };
const EATEN = { version: 2, actions: 0x3f, steps: 0 };

describe("outcomes", () => {
  it.each<[action: MailAction, changes: HeaderChange[], replies: string[] | RegExp, reason: string]>([
    [accept, [], ["a"], "nothing to change"],
    [{ kind: "discard" }, [insert(0, "A")], ["d"], "what is thrown away is not changed"],
    [
      reply(550, "5.7.20", "100% no"),
      [insert(0, "A")],
      ["y 550 5.7.20 100%% no|"],
      "percent signs are doubled",
    ],
    [reply(451, "4.7.1", "a\r\n250 ok\xe9"), [], ["y 451 4.7.1 a??250 ok?|"], "one line of ASCII"],
    [reply(550, "4.7.1", "x"), [], /is no reply/, "code and status contradict each other"],
    [reply(250, "2.0.0", "x"), [], /is no reply/, "no refusal"],
    [
      { kind: "quarantine", reason: "odd" },
      [insert(0, "A")],
      ["i 0 A| x|", "q odd|", "a"],
      "held mail is changed",
    ],
    [accept, [insert(0, "A"), insert(0, "B")], ["i 0 B| x|", "i 0 A| x|", "a"], "A comes out above B"],
    [
      accept,
      [insert(0, "A"), insert(3, "C"), insert(0, "B")],
      ["i 3 C| x|", "i 0 B| x|", "i 0 A| x|", "a"],
      "from below",
    ],
    [
      accept,
      [insert(0, "A"), remove("X", 1), remove("X", 3), remove("Y", 2)],
      ["m 3 X||", "m 2 Y||", "m 1 X||", "i 0 A| x|", "a"],
      "removals first, the last of a name before the first",
    ],
    [accept, [insert(0, "A", " a\r\n\tb")], ["i 0 A| a\n\tb|", "a"], "LF on the wire"],
    [accept, [insert(0, "A", " a\r\nB: c")], /folds nothing/, "no second field comes in by the back door"],
    [accept, [insert(0, "A", " a\r")], /folds nothing/, "a carriage return alone"],
    [accept, [insert(0, "A", " a\0b")], /no octet of a header/, "NUL would cut it"],
    [accept, [insert(0, "A", " \u20ac")], /no octet of a header/, "text that is no octets"],
    [accept, [insert(0, "A b")], /no name/, "a blank in a name"],
    [accept, [insert(-1, "A")], /no place/, "no such place"],
    [accept, [remove("A", 0)], /no place/, "fields count from 1"],
  ])("%j %j → %j (%s)", (action, changes, expected) => {
    const encode = () => readReplies(Buffer.concat(encodeOutcome({ action, changes }, LEADING)));
    if (expected instanceof RegExp) expect(encode).toThrow(expected);
    else expect(encode()).toEqual(expected);
  });

  it("leaves the leading space to MTAs that write it themselves", () => {
    const changes = [insert(0, "A", "  a"), insert(1, "B", "\tb")];
    expect(readReplies(Buffer.concat(encodeOutcome({ action: accept, changes }, EATEN)))).toEqual([
      "i 1 B|\tb|",
      "i 0 A| a|",
      "a",
    ]);
  });

  it("does nothing that was not agreed on", () => {
    const nothing = { version: 6, actions: 0, steps: 0 };
    for (const [action, changes] of [
      [accept, [insert(0, "A")]],
      [accept, [remove("A", 1)]],
      [{ kind: "quarantine", reason: "" }, []],
    ] as const) {
      expect(() => encodeOutcome({ action, changes }, nothing)).toThrow(/does not let this milter/);
    }
  });

  it("keeps a reply within a line of SMTP", () => {
    const [line = ""] = readReplies(
      Buffer.concat(encodeOutcome({ action: reply(550, "5.7.1", "x".repeat(2000)), changes: [] }, LEADING)),
    );
    expect(line.length - "y ".length - "|".length).toBe(510);
  });
});

describe("packets", () => {
  const all = Buffer.concat([packet("A"), packet("B", "x".repeat(300)), packet("Q"), packet("L", "a\0b\0")]);
  const read = (chunks: readonly Uint8Array[]) => {
    const decoder = new PacketDecoder();
    const found: string[] = [];
    for (const chunk of chunks) {
      const own = Buffer.from(chunk);
      decoder.feed(own);
      while (decoder.next()) {
        found.push(
          String.fromCharCode(decoder.command) +
            decoder.source.toString("latin1", decoder.start, decoder.end),
        );
      }
      decoder.keep();
      own.fill(0xff);
    }
    return { found, backlog: decoder.backlog };
  };
  const whole = ["A", `B${"x".repeat(300)}`, "Q", "La\0b\0"];

  it("are the same for every size of chunk, and nothing of a chunk is used after the call", () => {
    for (let size = 1; size <= all.length; size++) {
      const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
        all.subarray(at * size, (at + 1) * size),
      );
      expect(read(chunks)).toEqual({ found: whole, backlog: 0 });
    }
  });

  it("are not copied where they lie whole in a chunk", () => {
    const decoder = new PacketDecoder();
    decoder.feed(all);
    while (decoder.next()) expect(decoder.source).toBe(all);
  });

  it.each([
    [0, /length 0/, "a packet has a command at least"],
    [MAX_PACKET_OCTETS + 1, /1048577 octets/, "more than any MTA sends"],
    [0xffff_ffff, /4294967295/, "the greatest number there is"],
  ])("of %d octets are refused", (length, problem) => {
    for (const split of [4, 2]) {
      const decoder = new PacketDecoder();
      const octets = Buffer.from(uint32(length), "latin1");
      expect(() => {
        for (const chunk of [octets.subarray(0, split), octets.subarray(split)]) {
          decoder.feed(chunk);
          decoder.next();
          decoder.keep();
        }
      }).toThrow(problem);
    }
  });

  it("may be as long as that", () => {
    const long = packet("B", Buffer.alloc(MAX_PACKET_OCTETS - 1));
    expect(read([long.subarray(0, 70_000), long.subarray(70_000)]).found[0]?.length).toBe(MAX_PACKET_OCTETS);
  });
});
