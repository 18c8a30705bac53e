import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ACCEPTED, sessionUnderTest } from "../../test/support/milter-handler.ts";
import {
  ALL_ACTIONS,
  CONNECT,
  macros,
  messagePackets,
  negotiation,
  OFFERED_STEPS,
  packet,
  readReplies,
  uint32,
} from "../../test/support/milter-mta.ts";
import type { MailOutcome } from "./mail-handler.ts";
import { ACTION, STEP } from "./protocol.ts";
import type { MilterSessionOptions } from "./session.ts";

const GREETING = Buffer.concat([negotiation(), CONNECT]);
const MESSAGE = Buffer.concat(messagePackets());
const ABORT = packet("A");
const QUIT = packet("Q");
const MARKED: MailOutcome = {
  action: { kind: "accept" },
  changes: [{ kind: "insert", index: 0, name: "X-Seen", value: " yes" }],
};

const repliesOf = (writes: readonly Buffer[]) => readReplies(Buffer.concat(writes));

function agreed(writes: readonly Buffer[]) {
  const [first] = writes;
  return { version: first!.readUInt32BE(5), actions: first!.readUInt32BE(9), steps: first!.readUInt32BE(13) };
}

describe("negotiation", () => {
  it.each([
    [2, 2, "as old as it gets"],
    [3, 3, "Sendmail 8.13"],
    [4, 4, "with DATA"],
    [6, 6, "today's"],
    [9, 6, "a newer one speaks ours too"],
  ])("version %d comes to %d (%s)", (offered, version) => {
    const { session, writes } = sessionUnderTest();
    session.receive(negotiation(offered, OFFERED_STEPS[version]!));
    const result = agreed(writes);
    expect(result.version).toBe(version);
    expect(result.steps & ~OFFERED_STEPS[version]!).toBe(0);
    expect(result.actions & ~ALL_ACTIONS).toBe(0);
    expect(writes[0]!.length > 17).toBe(version === 6);
  });

  it.each<[options: Partial<MilterSessionOptions>, present: number, missing: number, reason: string]>([
    [{}, STEP.skip, STEP.noReplyToBody | STEP.noRecipient, "bodies are stopped"],
    [{ stopsBodies: false }, STEP.noReplyToBody, STEP.skip, "bodies come without a reply"],
    [{ wantsRecipients: false }, STEP.noRecipient, 0, "recipients are nobody's concern"],
  ])("%j (%s)", (options, present, missing) => {
    const { session, writes } = sessionUnderTest({}, options);
    session.receive(negotiation());
    const { steps } = agreed(writes);
    expect(steps & present).toBe(present);
    expect(steps & missing).toBe(0);
  });

  it.each<[Buffer, RegExp, string]>([
    [negotiation(6, 0x1f_ffff, ACTION.changeHeaders), /does not offer addHeaders/, "fields cannot be added"],
    [negotiation(1, 0, ALL_ACTIONS), /version 1/, "before the protocol was fit for use"],
    [packet("O", uint32(6)), /cut short/, "three numbers are due"],
    [packet("M", "<>\0"), /before the negotiation/, "first things first"],
    [Buffer.concat([negotiation(), negotiation()]), /second negotiation/, "once is enough"],
    [Buffer.concat([GREETING, packet("L", "a\0b\0")]), /"L" came before MAIL/, "of no message"],
    [
      Buffer.concat([GREETING, packet("M", "<>\0"), packet("B", "x")]),
      /"B" came in the envelope/,
      "out of order",
    ],
    [Buffer.concat([GREETING, packet("M", "<>")]), /without its end/, "no NUL"],
    [Buffer.concat([negotiation(), packet("C", "host\0")]), /without a family/, "cut short"],
    [Buffer.concat([negotiation(), packet("C", "host\x004\0")]), /without a port/, "cut short later"],
    [Buffer.concat([negotiation(), packet("D", "Ci\0")]), /macro without its value/, "half a pair"],
    [Buffer.concat([negotiation(), packet("!")]), /no command/, "unheard of"],
    [Buffer.concat([negotiation(), Buffer.alloc(4)]), /length 0/, "no packet"],
    [
      Buffer.concat([
        negotiation(),
        macros("C", Object.fromEntries(Array.from({ length: 201 }, (_, at) => [at, ""]))),
      ]),
      /200 macros/,
      "more than any MTA knows",
    ],
    [Buffer.concat([negotiation(), macros("C", { i: "x".repeat(70_000) })]), /octets of macros/, "too long"],
  ])("%# is an error of the MTA, and the end (%s)", (octets, problem) => {
    const { session, events } = sessionUnderTest();
    session.receive(octets);
    expect(events).toEqual([expect.stringMatching(problem), "end"]);
    session.receive(MESSAGE);
    expect(events.length).toBe(2);
  });
});

describe("a conversation", () => {
  const TOLD = [
    "connect client.example.net 192.0.2.10 40000 j=mx.example.org daemon_name=smtpd",
    "begin client.example.net sender@example.net j=mx.example.org daemon_name=smtpd auth_authen=alice mail_addr=sender@example.net",
    "recipient user@example.org",
    'header "From: Alice <alice@example.net>"',
    'header "Subject:  two\\r\\n\\tlines"',
    'header "X-Tight:none"',
    'header "X-Octet: \xe9"',
    "endOfHeaders",
    "body Hello\r\n",
    "end j=mx.example.org daemon_name=smtpd auth_authen=alice mail_addr=sender@example.net i=4Q1",
  ];

  it.each([
    [6, ["c", "i 0 X-Seen| yes|", "a"], "only the body and the end have replies"],
    // CONNECT, HELO, MAIL, RCPT, DATA, four fields, end of header, body
    [4, [..."ccccccccccc", "i 0 X-Seen|yes|", "a"], "each command has one"],
    [3, [..."ccccccccccc", "i 0 X-Seen|yes|", "a"], "each command has one"],
    [2, [..."ccccccccccc", "i 0 X-Seen|yes|", "a"], "each command has one"],
  ])("in version %d (%#)", (version, replies) => {
    const { session, writes, told, events } = sessionUnderTest({ end: () => MARKED });
    session.receive(negotiation(version));
    const { steps } = agreed(writes);
    const isAsked = (step: number) => (steps & step) === 0;
    session.receive(CONNECT);
    session.receive(Buffer.concat(messagePackets({}, steps)));
    // The scripted MTA sends DATA whatever was agreed on, and the headers' replies are left out where 0x80 is offered.
    const expected = replies.slice(isAsked(STEP.noReplyToHeader) ? 0 : version === 6 ? 0 : 4);
    expect(repliesOf(writes.slice(1))).toEqual(expected);
    const hasEaten = isAsked(STEP.headerLeadingSpace);
    expect(told).toEqual(hasEaten ? TOLD.map((line) => line.replace("X-Tight:none", "X-Tight: none")) : TOLD);
    expect(events).toEqual([]);
  });

  it("is the same wherever it is split", () => {
    const all = Buffer.concat([GREETING, MESSAGE, ABORT, MESSAGE, packet("K"), CONNECT, MESSAGE, QUIT]);
    const whole = sessionUnderTest({ end: () => MARKED });
    whole.session.receive(all);
    expect(repliesOf(whole.writes).length).toBe(1 + 3 * 3);
    for (let at = 1; at < all.length; at++) {
      const parts = sessionUnderTest({ end: () => MARKED });
      for (const part of [all.subarray(0, at), all.subarray(at)]) {
        const own = Buffer.from(part);
        parts.session.receive(own);
        own.fill(0xff);
      }
      expect(Buffer.concat(parts.writes).equals(Buffer.concat(whole.writes))).toBe(true);
      expect(parts.told).toEqual(whole.told);
      expect(parts.events).toEqual(["end"]);
    }
    const single = sessionUnderTest({ end: () => MARKED });
    for (const octet of all) single.session.receive(Buffer.of(octet));
    expect(single.told).toEqual(whole.told);
    expect(Buffer.concat(single.writes).equals(Buffer.concat(whole.writes))).toBe(true);
  });

  it("answers a message's end in one write", () => {
    const { session, writes } = sessionUnderTest({ end: () => MARKED }, { stopsBodies: false });
    session.receive(GREETING);
    writes.length = 0;
    session.receive(MESSAGE);
    expect(writes.map((write) => readReplies(write))).toEqual([["i 0 X-Seen| yes|", "a"]]);
  });

  it("stops a body that nobody wants", () => {
    const { session, writes, told } = sessionUnderTest({ body: () => "skip" });
    session.receive(GREETING);
    session.receive(Buffer.concat(messagePackets({ body: ["one", "two"] })));
    expect(repliesOf(writes.slice(1))).toEqual(["s", "s", "a"]);
    expect(told.filter((line) => line.startsWith("body"))).toEqual(["body one"]);
  });

  it("takes the last of the body with its end", () => {
    const { session, told } = sessionUnderTest();
    session.receive(GREETING);
    session.receive(Buffer.concat([packet("M", "<>\0"), packet("N"), packet("E", "all")]));
    expect(told.slice(1).map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "begin client.example.net",
      "endOfHeaders",
      "body all",
      "end j=mx.example.org",
    ]);
  });

  it.each([
    ["localhost\0U", "localhost undefined undefined", "no address"],
    ["localhost\0L\0\0/run/smtp\0", "localhost undefined undefined", "a unix socket"],
    ["[2001:db8::1]\x006\0\x19IPv6:2001:db8::1\0", "[2001:db8::1] 2001:db8::1 25", "as Sendmail writes it"],
    [`${"x".repeat(2000)}\x004\0\x19192.0.2.1\0`, " 192.0.2.1 25", "a name of no use"],
  ])("%j connects as %j (%s)", (data, client) => {
    const { session, told } = sessionUnderTest();
    session.receive(Buffer.concat([negotiation(), packet("C", data)]));
    expect(told).toEqual([`connect ${client} `]);
  });

  it("forgets the macros of a message and of a connection", () => {
    const { session, told } = sessionUnderTest();
    session.receive(
      Buffer.concat([GREETING, MESSAGE, packet("M", "<>\0"), ABORT, packet("K"), packet("C", "x\0U")]),
    );
    session.receive(packet("M", "<>\0"));
    expect(told.filter((line) => line.startsWith("begin")).slice(1)).toEqual([
      "begin client.example.net  j=mx.example.org daemon_name=smtpd",
      "begin   ",
    ]);
    expect(told.filter((line) => line === "abort").length).toBe(1);
  });

  it("aborts no message that is over", () => {
    const { session, told } = sessionUnderTest();
    session.receive(Buffer.concat([GREETING, MESSAGE, ABORT, ABORT]));
    session.disconnected();
    expect(told).not.toContain("abort");
  });
});

const TRY_LATER = expect.stringMatching(/^y 451 4\.7\.1 /);

describe("a handler that fails", () => {
  const fail = () => {
    throw new Error("broken");
  };
  it.each([
    ["recipient", { recipient: fail }],
    ["header", { header: fail }],
    ["endOfHeaders", { endOfHeaders: fail }],
    ["endOfHeaders later", { endOfHeaders: async () => fail() }],
    ["body", { body: fail }],
    ["end", { end: fail }],
    ["end later", { end: async () => fail() }],
    [
      "an outcome that cannot be",
      { end: () => ({ ...MARKED, action: { kind: "reply" as const, code: 200, status: "", text: "" } }) },
    ],
  ])("in %s costs its message an answer, once, and no other", async (_, answers) => {
    for (const version of [2, 6]) {
      let isBroken = true;
      const once = Object.fromEntries(
        Object.entries(answers).map(([name, answer]) => [
          name,
          () =>
            isBroken
              ? (answer as () => unknown)()
              : { endOfHeaders: "continue", body: "continue", end: ACCEPTED }[name],
        ]),
      );
      const { session, writes, events } = sessionUnderTest(once);
      session.receive(Buffer.concat([negotiation(version), CONNECT]));
      const { steps } = agreed(writes);
      session.receive(Buffer.concat(messagePackets({}, steps)));
      await setImmediate();
      expect(repliesOf(writes).at(-1)).toEqual(TRY_LATER);
      expect(events).toEqual([expect.stringMatching(/^handler: /)]);
      isBroken = false;
      session.receive(Buffer.concat([ABORT, ...messagePackets({}, steps)]));
      expect(repliesOf(writes).at(-1)).toBe("a");
      expect(events.length).toBe(1);
    }
  });

  it("from the start costs every message of the connection", () => {
    const { session, writes, events } = sessionUnderTest({}, { connect: fail });
    session.receive(Buffer.concat([GREETING, MESSAGE, MESSAGE]));
    expect(repliesOf(writes).filter((reply) => reply.startsWith("y"))).toEqual([TRY_LATER, TRY_LATER]);
    expect(events).toEqual(["handler: broken"]);
  });

  it("has the fallback of the settings", () => {
    const { session, writes } = sessionUnderTest({ end: fail }, { fallback: { kind: "accept" } });
    session.receive(Buffer.concat([GREETING, MESSAGE]));
    expect(repliesOf(writes).at(-1)).toBe("a");
    expect(() =>
      sessionUnderTest({}, { fallback: { kind: "reply", code: 200, status: "", text: "" } }),
    ).toThrow(/no reply/);
  });
});

describe("an answer that takes its time", () => {
  const later = () => Promise.withResolvers<MailOutcome>();

  it("keeps the MTA waiting, and then comes", async () => {
    const answer = later();
    const tested = sessionUnderTest({ end: () => answer.promise });
    const { session, writes, pass } = tested;
    session.receive(Buffer.concat([GREETING, MESSAGE]));
    writes.length = 0;
    pass(35);
    expect(repliesOf(writes)).toEqual(["p", "p", "p"]);
    answer.resolve(MARKED);
    await setImmediate();
    expect(repliesOf(writes)).toEqual(["p", "p", "p", "i 0 X-Seen| yes|", "a"]);
    expect(tested.timers).toEqual([]);
    pass(1000);
    expect(writes.length).toBe(4);
  });

  it("is given up at its deadline", async () => {
    const answer = later();
    const { session, writes, events, told, pass } = sessionUnderTest(
      { end: () => answer.promise },
      { deadlineSeconds: 25 },
    );
    session.receive(Buffer.concat([GREETING, MESSAGE]));
    writes.length = 0;
    pass(100);
    expect(repliesOf(writes)).toEqual(["p", "p", TRY_LATER]);
    expect(events).toEqual([expect.stringMatching(/^deadline: /)]);
    expect(told.at(-1)).toBe("abort");
    answer.resolve(MARKED);
    await setImmediate();
    expect(repliesOf(writes).length).toBe(3);
  });

  it.each([
    ["ABORT", ABORT, []],
    ["QUIT", QUIT, ["end"]],
    ["a new connection", packet("K"), []],
  ])("is dropped after %s, and does not get into the next message", async (_, octets, expected) => {
    const answers = [later(), later()];
    let at = 0;
    const { session, writes, events, told } = sessionUnderTest({ end: () => answers[at++]!.promise });
    session.receive(Buffer.concat([GREETING, MESSAGE]));
    writes.length = 0;
    for (const octet of octets) session.receive(Buffer.of(octet));
    expect(told.at(-1)).toBe("abort");
    expect(events).toEqual(expected);
    session.receive(MESSAGE);
    answers[0]!.resolve(MARKED);
    await setImmediate();
    expect(repliesOf(writes)).toEqual(expected.length > 0 ? [] : ["c"]);
    answers[1]!.resolve(ACCEPTED);
    await setImmediate();
    expect(repliesOf(writes)).toEqual(expected.length > 0 ? [] : ["c", "a"]);
  });

  it("is dropped where the connection breaks off, errors included", async () => {
    const answer = later();
    const { session, told, events, writes } = sessionUnderTest({ end: () => answer.promise });
    session.receive(Buffer.concat([GREETING, MESSAGE]));
    const before = writes.length;
    session.disconnected();
    answer.reject(new Error("too late"));
    await setImmediate();
    expect(told.at(-1)).toBe("abort");
    expect([events, writes.length]).toEqual([[], before]);
  });

  it("at the end of the header holds the body back, up to a bound", async () => {
    const interest = Promise.withResolvers<"continue">();
    const { session, told, events, writes } = sessionUnderTest(
      { endOfHeaders: () => interest.promise },
      { stopsBodies: false },
    );
    session.receive(GREETING);
    const body = Array.from({ length: 4 }, (_, at) => String(at).repeat(60_000));
    for (const part of messagePackets({ body })) session.receive(part);
    expect(told.at(-1)).toBe("endOfHeaders");
    expect(events).toEqual(["pause"]);
    interest.resolve("continue");
    await setImmediate();
    expect(events).toEqual(["pause", "resume"]);
    expect(told.filter((line) => line.startsWith("body")).map((line) => line.length)).toEqual(
      Array(4).fill(60_005),
    );
    expect(repliesOf(writes).at(-1)).toBe("a");
  });

  it("ends a connection that goes on all the same", () => {
    const { session, events } = sessionUnderTest({ endOfHeaders: () => new Promise(() => {}) });
    session.receive(GREETING);
    session.receive(Buffer.concat([packet("M", "<>\0"), packet("N")]));
    for (let at = 0; at < 70; at++) session.receive(packet("B", Buffer.alloc(65_000)));
    expect(events).toEqual(["pause", "mta: more was sent than was asked for", "end"]);
  });
});
