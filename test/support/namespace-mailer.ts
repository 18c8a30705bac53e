/** Mail clients and a receiving server inside a network namespace: a process of its own that is asked from outside. */
import { setTimeout as sleep } from "node:timers/promises";
import { startInNamespace } from "./namespace-process.ts";
import type { NetworkNamespace } from "./network-namespace.ts";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Where the client comes from. */
  readonly from: string;
}

/** What a client says before it waits for so many replies; `times` of it, for what is large. */
export interface TalkStep {
  readonly write?: string;
  readonly times?: number;
  readonly replies: number;
  /** Where the last of them begins otherwise, nothing more is said. */
  readonly wants?: string;
}

export interface Talk extends Endpoint {
  readonly steps: readonly TalkStep[];
  /** At the end the client goes away without a word. */
  readonly drops?: boolean;
}

/** Many messages over several connections; who is told to come again, or loses the connection, does so. */
export interface Flood extends Endpoint {
  readonly connections: number;
  readonly messages: number;
  /** After so many messages a client takes a new connection. */
  readonly perConnection: number;
  readonly login?: string;
  readonly mailFrom: string;
  readonly recipient: string;
  /** Header and body; "{id}" stands for the message's own name. */
  readonly text: string;
  readonly idStart: string;
  /** Who has not brought everything by then gives up. */
  readonly withinMilliseconds: number;
}

export interface FloodResult {
  readonly accepted: readonly string[];
  /** The replies that were neither yes nor 354. */
  readonly unwelcome: readonly string[];
  readonly brokenConnections: number;
}

export interface SunkMail {
  readonly mailFrom: string;
  readonly helo: string;
  /** As octet text. */
  readonly text: string;
}

export interface VerifyQuestion {
  readonly text: string;
  readonly clientIp: string;
  readonly helo: string;
  readonly mailFrom: string;
}

export interface VerifyResult {
  /** "pass rsa example.org selector" */
  readonly dkim: readonly string[];
  readonly arc: string;
  readonly dmarc: string;
  readonly spf: string;
}

export interface NamespaceMailer {
  /** The last line of each reply, the greeting's first; fewer where the server went away. */
  talk(talk: Talk): Promise<readonly string[]>;
  flood(flood: Flood): Promise<FloodResult>;
  /** All mails that have arrived so far. */
  mails(): Promise<readonly SunkMail[]>;
  /** Those in whose header the text stands, once there are so many of them. */
  arrived(text: string, count?: number): Promise<readonly SunkMail[]>;
  /** By the project's own authentication, and the name server given at the start. */
  verify(question: VerifyQuestion): Promise<VerifyResult>;
  stop(): Promise<void>;
}

export interface MailerSettings {
  readonly nameServer: string;
  readonly sink: { readonly address: string; readonly port: number; readonly recipient: string };
}

const ARRIVES_WITHIN_MILLISECONDS = 20_000;

export async function startMailer(
  namespace: NetworkNamespace,
  settings: MailerSettings,
): Promise<NamespaceMailer> {
  const { ask, stop } = startInNamespace(namespace, new URL("./mailer-process.ts", import.meta.url));
  await ask("open", settings);
  return {
    talk: (talk) => ask("talk", talk),
    flood: (flood) => ask("flood", flood),
    mails: () => ask("mails", ""),
    async arrived(text, count = 1) {
      const giveUpAt = performance.now() + ARRIVES_WITHIN_MILLISECONDS;
      for (;;) {
        const mails: readonly SunkMail[] = await ask("mails", text);
        if (mails.length >= count) return mails;
        if (performance.now() > giveUpAt)
          throw new Error(`${mails.length} of ${count} mails with "${text}" have arrived`);
        await sleep(50);
      }
    },
    verify: (question) => ask("verify", question),
    stop,
  };
}
