/** Started by namespace-mailer.ts. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { authenticateMessage } from "../../src/milter/authenticate-message.ts";
import { createDnsTransport } from "../../src/net/dns-transport.ts";
import { createRecursiveView } from "../../src/net/recursive-resolver.ts";
import { startSmtpSink } from "../../src/net/smtp-sink.ts";
import { parseAddress } from "../../src/standards/dns/address.ts";
import type { Resolver } from "../../src/standards/dns/resolver.ts";
import type {
  Endpoint,
  Flood,
  FloodResult,
  MailerSettings,
  SunkMail,
  Talk,
  VerifyQuestion,
  VerifyResult,
} from "./namespace-mailer.ts";
import { answerQuestions } from "./namespace-process.ts";

const mails: SunkMail[] = [];
let resolver: Resolver;

async function open({ nameServer, sink }: MailerSettings): Promise<void> {
  resolver = createRecursiveView({
    server: { address: nameServer, port: 53 },
    transport: createDnsTransport(),
    now: Date.now,
  });
  await startSmtpSink({
    ...sink,
    hostName: "sink.example.net",
    now: () => new Date(),
    limits: {
      maxConnections: 200,
      maxMessages: 1e6,
      maxCommands: 1e6,
      maxMessageOctets: 2 ** 26,
      sessionMilliseconds: 600_000,
    },
    onMail: ({ mailFrom, client, octets }) =>
      mails.push({ mailFrom, helo: client.helo, text: Buffer.from(octets).toString("latin1") }),
    onVisit: () => {},
  });
}

/** One connection: what is written, and the last line of each reply as it comes. */
class Client {
  readonly #socket: Socket;
  readonly #replies: string[] = [];
  #text = "";
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor({ host, port, from }: Endpoint) {
    this.#socket = connect({ host, port, localAddress: from, noDelay: true });
    this.#socket.on("data", (chunk) => {
      const lines = (this.#text + chunk.toString("latin1")).split("\r\n");
      this.#text = lines.pop() ?? "";
      this.#replies.push(...lines.filter((line) => /^\d{3}(?: |$)/.test(line)));
      this.#wake?.();
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.#isOver = true;
      this.#wake?.();
    });
  }

  async write(text: string): Promise<void> {
    if (this.#isOver || this.#socket.write(text, "latin1")) return;
    const over = new AbortController();
    const { signal } = over;
    await Promise.race([
      once(this.#socket, "drain", { signal }),
      once(this.#socket, "close", { signal }),
    ]).catch(() => {});
    over.abort();
  }

  /** Undefined where the server has gone away. */
  async reply(): Promise<string | undefined> {
    while (this.#replies.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#replies.shift();
  }

  async say(text: string): Promise<string | undefined> {
    await this.write(text);
    return await this.reply();
  }

  drop(): void {
    this.#socket.destroy();
  }
}

async function talk({ steps, drops = false, ...endpoint }: Talk): Promise<readonly string[]> {
  const client = new Client(endpoint);
  const replies: string[] = [];
  try {
    for (const { write = "", times = 1, replies: wanted, wants = "" } of steps) {
      for (let time = 0; time < times; time++) if (write !== "") await client.write(write);
      for (let count = 0; count < wanted; count++) {
        const reply = await client.reply();
        if (reply === undefined) return replies;
        replies.push(reply);
      }
      if (!replies.at(-1)?.startsWith(wants)) break;
    }
    if (!drops) await client.say("QUIT\r\n");
    return replies;
  } finally {
    client.drop();
  }
}

async function flood(wanted: Flood): Promise<FloodResult> {
  const giveUpAt = performance.now() + wanted.withinMilliseconds;
  const waiting = Array.from({ length: wanted.messages }, (_, at) => `${wanted.idStart}-${at}`);
  const accepted: string[] = [];
  const unwelcome: string[] = [];
  let brokenConnections = 0;

  /** A connection for some messages. */
  const visit = async (): Promise<void> => {
    const client = new Client(wanted);
    const broken = () => {
      brokenConnections += 1;
    };
    const isGood = (reply: string | undefined, good: string): boolean => {
      if (reply === undefined) broken();
      else if (!reply.startsWith(good)) unwelcome.push(reply);
      return reply?.startsWith(good) === true;
    };
    try {
      if (!isGood(await client.reply(), "220")) return;
      if (!isGood(await client.say("EHLO client.example.net\r\n"), "250")) return;
      if (wanted.login !== undefined) {
        const words = Buffer.from(`\0${wanted.login}\0secret`).toString("base64");
        if (!isGood(await client.say(`AUTH PLAIN ${words}\r\n`), "235")) return;
      }
      for (let count = 0; count < wanted.perConnection; count++) {
        const id = waiting.shift();
        if (id === undefined) break;
        let isAccepted = false;
        try {
          await client.write(`MAIL FROM:<${wanted.mailFrom}>\r\nRCPT TO:<${wanted.recipient}>\r\nDATA\r\n`);
          const replies = [await client.reply(), await client.reply(), await client.reply()];
          if (replies[2]?.startsWith("354")) {
            const last = await client.say(`${wanted.text.replaceAll("{id}", id)}\r\n.\r\n`);
            isAccepted = isGood(last, "250");
            if (last === undefined) return;
          } else {
            isGood(
              replies.find((reply) => reply === undefined || !/^2/.test(reply)),
              "354",
            );
            if (!isGood(await client.say("RSET\r\n"), "250")) return;
          }
        } finally {
          if (isAccepted) accepted.push(id);
          else waiting.push(id);
        }
        if (!isAccepted) return;
      }
      await client.say("QUIT\r\n");
    } finally {
      client.drop();
    }
  };

  const keepVisiting = async () => {
    while (waiting.length > 0 && performance.now() < giveUpAt) {
      const before = accepted.length;
      await visit();
      if (accepted.length === before) await sleep(100);
    }
  };
  await Promise.all(Array.from({ length: wanted.connections }, keepVisiting));
  return { accepted, unwelcome, brokenConnections };
}

function sunk(text: string): readonly SunkMail[] {
  return mails.filter((mail) => mail.text.slice(0, mail.text.indexOf("\r\n\r\n") + 2).includes(text));
}

async function verify({ text, clientIp, helo, mailFrom }: VerifyQuestion): Promise<VerifyResult> {
  const address = parseAddress(clientIp);
  if (!address.ok) throw new TypeError(address.problem);
  const origin = { clientIp: address.value, helo, mailFrom };
  const octets = Buffer.from(text, "latin1");
  const { dkim, arc, dmarc, spf } = await authenticateMessage(origin, octets, resolver, new Date());
  return {
    dkim: dkim.map(({ result, signature }) =>
      [result, signature?.keyType, signature?.signingDomain, signature?.dkimSelector].join(" "),
    ),
    arc: arc.result,
    dmarc: dmarc.status === "evaluated" ? dmarc.outcome.result : dmarc.status,
    spf: spf.result,
  };
}

answerQuestions({ open, talk, flood, mails: sunk, verify });
