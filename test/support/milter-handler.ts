/** A handler that notes what it is told, and answers what a test says. */
import type { MailOutcome, MessageHandler, MilterConnection } from "../../src/milter/mail-handler.ts";
import { MilterSession, type MilterSessionOptions } from "../../src/milter/session.ts";

export const ACCEPTED: MailOutcome = { action: { kind: "accept" }, changes: [] };

export interface SessionUnderTest {
  readonly session: MilterSession;
  /** What handlers were told, in order. */
  readonly told: string[];
  /** Each write of its own. */
  readonly writes: Buffer[];
  /** "pause", "resume", "end" and errors. */
  readonly events: string[];
  readonly timers: { due: number; action: () => void }[];
  /** Time goes on. */
  pass(seconds: number): void;
}

export function sessionUnderTest(
  answers: Partial<MessageHandler> = {},
  options: Partial<MilterSessionOptions> = {},
): SessionUnderTest {
  const told: string[] = [];
  const writes: Buffer[] = [];
  const events: string[] = [];
  let timers: { due: number; action: () => void }[] = [];
  let now = 0;
  const session = new MilterSession(
    {
      connect: (connection) => noting(told, connection, answers),
      needs: ["addHeaders", "changeHeaders", "quarantine"],
      wantsRecipients: true,
      stopsBodies: true,
      after(milliseconds, action) {
        const timer = { due: now + milliseconds, action };
        timers.push(timer);
        return () => {
          timers = timers.filter((other) => other !== timer);
        };
      },
      onError: (error, source) => events.push(`${source}: ${error.message}`),
      ...options,
    },
    {
      write: (octets) => writes.push(Buffer.from(octets)),
      pause: () => events.push("pause"),
      resume: () => events.push("resume"),
      end: () => events.push("end"),
    },
  );
  return {
    session,
    told,
    writes,
    events,
    get timers() {
      return timers;
    },
    pass(seconds) {
      const until = now + seconds * 1000;
      for (;;) {
        const [next] = timers.filter(({ due }) => due <= until).sort((a, b) => a.due - b.due);
        if (next === undefined) break;
        timers = timers.filter((other) => other !== next);
        now = next.due;
        next.action();
      }
      now = until;
    },
  };
}

function noting(told: string[], connection: MilterConnection, answers: Partial<MessageHandler>) {
  const list = (macros: ReadonlyMap<string, string>) => [...macros].map((pair) => pair.join("=")).join(" ");
  told.push(
    `connect ${connection.hostName} ${connection.address} ${connection.port} ${list(connection.macros)}`,
  );
  return {
    begin(envelope: { helo: string; mailFrom: string; macros: ReadonlyMap<string, string> }): MessageHandler {
      told.push(`begin ${envelope.helo} ${envelope.mailFrom} ${list(envelope.macros)}`);
      return {
        recipient(address) {
          told.push(`recipient ${address}`);
          answers.recipient?.(address);
        },
        header(field) {
          told.push(`header ${JSON.stringify(`${field.name}:${field.value}`)}`);
          answers.header?.(field);
        },
        endOfHeaders() {
          told.push("endOfHeaders");
          return answers.endOfHeaders?.() ?? "continue";
        },
        body(chunk) {
          told.push(`body ${Buffer.from(chunk).toString("latin1")}`);
          return answers.body?.(chunk) ?? "continue";
        },
        end(macros) {
          told.push(`end ${list(macros)}`);
          return answers.end?.(macros) ?? ACCEPTED;
        },
        abort() {
          told.push("abort");
          answers.abort?.();
        },
      };
    },
  };
}
