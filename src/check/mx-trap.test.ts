import { describe, expect, it } from "vitest";
import { fc } from "../../test/support/random-inputs.ts";
import {
  evaluateTrap,
  formatContact,
  type LogClock,
  type Outage,
  readContactLog,
  type TrapContact,
  type TrapJudgement,
} from "./mx-trap.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;
const at = (minutes: number): Date => new Date(NOON + minutes * MINUTE);
const by = (client: string, minutes: number, helo?: string): TrapContact => ({
  client,
  time: at(minutes),
  ...(helo !== undefined && { helo }),
});

const A = "192.0.2.1";
const B = "198.51.100.2";
const OTHER = "203.0.113.9";
/** A better server that others come to every ten minutes, from 06:00 to 18:00. */
const BUSY = Array.from({ length: 73 }, (_, index) => by(OTHER, -360 + index * 10));
const OPTIONS = { windowSeconds: 3600, quietSeconds: 3600, outages: [] };

describe("who came to the trap (R12)", () => {
  it("A came to the better server first, B did not: only B is suspicious", () => {
    const primary = [...BUSY, by(A, -1)];
    const report = evaluateTrap(
      [by(A, 0), by(B, 0, "spam.example"), by(B, 5, "spam.example")],
      primary,
      OPTIONS,
    );
    expect(report).toEqual({
      counts: { tried: 1, suspicious: 2, "primary-down": 0, "not-covered": 0, quiet: 0 },
      suspicious: [{ client: B, helos: ["spam.example"], contacts: 2, first: at(0), last: at(5) }],
    });
  });

  const outage = (from: number, to: number): Outage => ({ from: at(from), to: at(to) });
  const without = (from: number, to: number) => BUSY.filter(({ time }) => time <= at(from) || time >= at(to));
  it.each<[primary: TrapContact[], outages: Outage[], judgement: TrapJudgement, why: string]>([
    [[...BUSY, by(A, -1)], [], "tried", "a minute before"],
    [[...BUSY, by(A, -60)], [], "tried", "just within the window"],
    [[...BUSY, by(A, -61)], [], "suspicious", "just outside of it"],
    [[...BUSY, by(A, 0.9)], [], "tried", "a little later: two hosts, two clocks"],
    [[...BUSY, by(A, 5)], [], "suspicious", "after the trap, which is no excuse"],
    [[...BUSY, by(B, -1)], [], "suspicious", "another client tried"],
    [BUSY, [outage(-5, 5)], "primary-down", "in the middle of an outage"],
    [BUSY, [outage(-50, -40)], "primary-down", "it may have tried in the outage, and come here now"],
    [BUSY, [outage(-90, -70)], "suspicious", "an outage that was over long before"],
    [BUSY, [outage(10, 20)], "suspicious", "an outage that came later"],
    [[...BUSY, by(A, -1)], [outage(-5, 5)], "tried", "what was tried was tried"],
    [[], [], "not-covered", "an empty log tells nothing"],
    [BUSY.filter(({ time }) => time >= at(-30)), [], "not-covered", "the log begins within the window"],
    [BUSY.filter(({ time }) => time < at(0)), [], "not-covered", "the log ends before"],
    [without(-70, 10), [], "quiet", "nobody came there for 80 minutes"],
    [without(-40, 10), [], "suspicious", "50 quiet minutes are usual"],
    [without(-200, -90), [], "suspicious", "a quiet time long before"],
    [without(-200, -50), [], "quiet", "a quiet time that ends within the window"],
  ])("%#: %s: %s, %s", (primary, outages, judgement) => {
    const { counts } = evaluateTrap([by(A, 0)], primary, { ...OPTIONS, outages });
    expect(counts).toEqual({
      tried: 0,
      suspicious: 0,
      "primary-down": 0,
      "not-covered": 0,
      quiet: 0,
      [judgement]: 1,
    });
  });

  it("those who come most often stand first", () => {
    const { suspicious } = evaluateTrap([by(A, 0), by(B, 1), by(B, 2)], BUSY, OPTIONS);
    expect(suspicious.map(({ client }) => client)).toEqual([B, A]);
  });

  it("a client that tried in the window is never flagged, whatever else the log holds", () => {
    const minutes = fc.integer({ min: -300, max: 300 });
    fc.assert(
      fc.property(fc.array(minutes), minutes, fc.integer({ min: 0, max: 60 }), (others, arrival, before) => {
        const primary = [...others.map((minute) => by(OTHER, minute)), by(A, arrival - before)];
        const { counts } = evaluateTrap([by(A, arrival)], primary, OPTIONS);
        expect(counts.tried).toBe(1);
      }),
    );
  });
});

describe("a log", () => {
  const CLOCK: LogClock = { now: new Date(NOON), utcOffsetMinutes: 60 };

  it.each<[line: string, expected: [client: string, time: string] | "unreadable" | undefined, why: string]>([
    [
      '{"time":"2026-11-21T12:00:00.000Z","client":"192.0.2.1","helo":"x"}',
      ["192.0.2.1", "2026-11-21T12:00:00.000Z"],
      "our own",
    ],
    [
      '{"time":"2026-11-21T13:00:00+01:00","client":"::ffff:192.0.2.1"}',
      ["192.0.2.1", "2026-11-21T12:00:00.000Z"],
      "IPv4 in IPv6, and a zone",
    ],
    ['{"time":"2026-11-21T12:00:00","client":"192.0.2.1"}', "unreadable", "a time of no zone"],
    ['{"time":"2026-11-21T12:00:00Z","client":"mail.example.org"}', "unreadable", "a name is no address"],
    ['{"time":"2026-11-21T12:00:00Z"', "unreadable", "cut off"],
    [
      "Nov 21 09:05:06 mail postfix/smtpd[123]: connect from mail.example.net[192.0.2.1]",
      ["192.0.2.1", "2026-11-21T08:05:06.000Z"],
      "no year, and local time",
    ],
    [
      "Dec  3 09:05:06 mail postfix/smtpd[123]: connect from unknown[2001:DB8::1]",
      ["2001:db8::1", "2025-12-03T08:05:06.000Z"],
      "of last year: it would lie ahead",
    ],
    [
      "2026-11-21T09:05:06.123456+01:00 mail postfix/smtpd[123]: connect from unknown[192.0.2.1]",
      ["192.0.2.1", "2026-11-21T08:05:06.123Z"],
      "with year and zone",
    ],
    [
      "2026-11-21T09:05:06.123456+01:00 mail postfix/postscreen[9]: CONNECT from [192.0.2.1]:4321 to [192.0.2.25]:25",
      ["192.0.2.1", "2026-11-21T08:05:06.123Z"],
      "postscreen",
    ],
    [
      "Nov 21 09:05:06 mail postfix-in/smtpd[123]: connect from a[192.0.2.1]",
      ["192.0.2.1", "2026-11-21T08:05:06.000Z"],
      "a second instance",
    ],
    [
      "Nov 21 09:05:06 mail postfix/smtpd[123]: disconnect from mail.example.net[192.0.2.1] ehlo=1 quit=1",
      undefined,
      "the end of one",
    ],
    ["Nov 21 09:05:06 mail postfix/smtp[12]: connect to a[192.0.2.1]:25: timed out", undefined, "a client's"],
    ["Nov 21 09:05:06 mail postfix/smtpd[123]: connect from a[999.0.2.1]", "unreadable", "no address"],
    ["Foo 21 09:05:06 mail postfix/smtpd[123]: connect from a[192.0.2.1]", "unreadable", "no month"],
    [
      "Nov 21 09:05:06 mail postfix/cleanup[1]: x: message-id=<connect from a[192.0.2.1]>",
      undefined,
      "a stranger's text",
    ],
    ["", undefined, "nothing"],
  ])("%s → %s: %s", (line, expected) => {
    const { contacts, unreadable } = readContactLog(line, CLOCK);
    expect(unreadable).toEqual(expected === "unreadable" ? [1] : []);
    const [contact] = contacts.map(({ client, time }) => [client, time.toISOString()]);
    expect(contact).toEqual(typeof expected === "object" ? expected : undefined);
  });

  it("is read as it is written", () => {
    const text = fc.string({ unit: "binary", maxLength: 60 });
    const address = fc.constantFrom("192.0.2.1", "2001:db8::1");
    fc.assert(
      fc.property(
        address,
        fc.date({ noInvalidDate: true, min: at(0), max: at(9999) }),
        text,
        text,
        (client, time, helo, host) => {
          const contact = { client, time, helo, host };
          const line = formatContact(contact);
          expect(line).not.toContain("\n");
          expect(readContactLog(`${line}\n`, CLOCK)).toEqual({ contacts: [contact], unreadable: [] });
        },
      ),
    );
  });
});
