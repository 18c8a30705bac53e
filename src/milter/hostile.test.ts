/** Streams of packets that no MTA would send: nothing breaks, nothing hangs, nothing piles up. */
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { chance } from "../../test/support/chance.ts";
import { ACCEPTED, sessionUnderTest } from "../../test/support/milter-handler.ts";
import { CONNECT, messagePackets, negotiation, packet, readReplies } from "../../test/support/milter-mta.ts";
import { fc } from "../../test/support/random-inputs.ts";
import { MilterSession } from "./session.ts";

const STREAMS = 100_000;
const OUR_ERRORS = /TypeError|RangeError|ReferenceError|undefined|not a function/;

it(`${STREAMS} mutated conversations end in order`, { timeout: 120_000 }, () => {
  const packets = [
    ...[2, 3, 4, 6].map((version) => negotiation(version)),
    CONNECT,
    ...messagePackets({ body: ["one\r\n", "two\r\n"] }),
    packet("A"),
    packet("Q"),
    packet("K"),
    packet("U", "XYZZY\0"),
  ];
  const start = Buffer.concat([negotiation(), CONNECT]);
  const message = Buffer.concat(messagePackets());
  const below = chance(20_261_121);
  const memoryBefore = process.memoryUsage().arrayBuffers;
  let errors = 0;
  let answered = 0;
  for (let round = 0; round < STREAMS; round++) {
    const shuffled = Array.from({ length: below(4) }, () => packets[below(packets.length)]!);
    const stream = Buffer.concat([start, ...shuffled, message, ...shuffled]);
    for (let mutations = below(4); mutations > 0; mutations--) stream[below(stream.length)] = below(256);
    const replies: Uint8Array[] = [];
    let ends = 0;
    const session = new MilterSession(
      {
        connect: () => ({
          begin: () => ({
            header() {},
            endOfHeaders: () => "continue",
            body: () => "continue",
            end: () => ACCEPTED,
            abort() {},
          }),
        }),
        needs: [],
        after: () => () => {},
        onError(error) {
          errors++;
          if (OUR_ERRORS.test(String(error))) throw error;
        },
      },
      { write: (octets) => replies.push(octets), pause() {}, resume() {}, end: () => ends++ },
    );
    const cut = below(stream.length);
    session.receive(stream.subarray(0, cut));
    session.receive(stream.subarray(cut));
    session.disconnected();
    expect(ends).toBeLessThanOrEqual(1);
    answered += readReplies(Buffer.concat(replies)).length > 1 ? 1 : 0;
  }
  // Most mutations hit a text, some a length or a command: both kinds are there.
  expect(errors).toBeGreaterThan(STREAMS / 20);
  expect(answered).toBeGreaterThan(STREAMS / 20);
  expect(process.memoryUsage().arrayBuffers - memoryBefore).toBeLessThan(256 * 1_048_576);
});

it("any octets at all are an error or wait for more", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (chunks) => {
      const { session, events } = sessionUnderTest();
      session.receive(negotiation());
      for (const chunk of chunks) session.receive(chunk);
      session.disconnected();
      expect(events.filter((event) => OUR_ERRORS.test(event))).toEqual([]);
      expect(events.filter((event) => event === "end").length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 2000 },
  );
});

it("answers that come at any time, or never, belong to their own message", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom("settle", "abort", "late"), { maxLength: 6 }), async (ways) => {
      const answers: PromiseWithResolvers<typeof ACCEPTED>[] = [];
      const { session, writes } = sessionUnderTest({
        end() {
          answers.push(Promise.withResolvers());
          return answers.at(-1)!.promise;
        },
      });
      session.receive(Buffer.concat([negotiation(), CONNECT]));
      let expected = 1;
      for (const way of ways) {
        session.receive(Buffer.concat(messagePackets()));
        expected++;
        if (way === "settle") {
          answers.at(-1)!.resolve(ACCEPTED);
          expected++;
        }
        await setImmediate();
        session.receive(packet("A"));
        if (way === "late") answers.at(-1)!.resolve(ACCEPTED);
        await setImmediate();
        expect(readReplies(Buffer.concat(writes)).length).toBe(expected);
      }
    }),
    { numRuns: 200 },
  );
});
