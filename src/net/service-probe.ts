/** Connects to mail and chat servers as a client would, up to TLS and what is offered inside it, and to web servers. */
import type { Socket } from "node:net";
import type {
  Prober,
  Protocol,
  ServiceProbe,
  ServiceSession,
  ServiceTarget,
  TlsProbe,
} from "../check/probe.ts";
import { connectTo, Deadline, endpointText } from "./connection.ts";
import type { Dialog } from "./dialog.ts";
import { fetchHttps } from "./https-fetch.ts";
import { IMAP_DIALOG } from "./imap-dialog.ts";
import { LineSession, SessionBroken } from "./line-session.ts";
import { POP3_DIALOG } from "./pop3-dialog.ts";
import { SIEVE_DIALOG } from "./sieve-dialog.ts";
import { askEnvelope, smtpDialog } from "./smtp-dialog.ts";
import { createTlsContexts, shakeHands, type TlsContexts, type TlsProfile } from "./tls-probe.ts";
import { xmppDialog } from "./xmpp-dialog.ts";

export interface ProberOptions {
  /** Authorities as PEM, trusted beside those that Node trusts. */
  readonly ca?: readonly string[];
  /** 5 s where absent. */
  readonly connectTimeoutMilliseconds?: number;
  /** For one probe with all its connections; 15 s where absent. */
  readonly totalTimeoutMilliseconds?: number;
  /** What we call ourselves in EHLO: a domain name, or an address literal. */
  readonly heloName: string;
}

const CONNECT_TIMEOUT_MILLISECONDS = 5_000;
const TOTAL_TIMEOUT_MILLISECONDS = 15_000;

interface Means {
  readonly contexts: TlsContexts;
  readonly connectTimeoutMilliseconds: number;
  readonly heloName: string;
  readonly deadline: Deadline;
}

export function createProber({
  ca = [],
  connectTimeoutMilliseconds = CONNECT_TIMEOUT_MILLISECONDS,
  totalTimeoutMilliseconds = TOTAL_TIMEOUT_MILLISECONDS,
  heloName,
}: ProberOptions): Prober {
  const contexts = createTlsContexts(ca);
  const within = async <T>(work: (means: Means) => Promise<T>): Promise<T> => {
    const deadline = new Deadline(totalTimeoutMilliseconds);
    try {
      return await work({ contexts, connectTimeoutMilliseconds, heloName, deadline });
    } finally {
      deadline.clear();
    }
  };
  return {
    /** Rejects only where the caller asks for what no command can carry. */
    async probeService(target) {
      refuseLineBreaks(heloName, target.envelope?.mailFrom, target.envelope?.rcptTo);
      return within((means) => probeService(target, means));
    },
    fetchHttps: (request) =>
      within((means) => fetchHttps(request, { ...means, context: contexts("modern") })),
  };
}

function refuseLineBreaks(...texts: readonly (string | undefined)[]): void {
  for (const text of texts) {
    if (text !== undefined && /[\p{Cc}<>]/u.test(text)) {
      throw new TypeError(`${JSON.stringify(text)} cannot be part of an SMTP command`);
    }
  }
}

async function probeService(target: ServiceTarget, means: Means): Promise<ServiceProbe> {
  let { probe, mayWorkWeaker } = await attempt(target, "modern", means);
  if (mayWorkWeaker) {
    // A certificate can only be judged where it is seen.
    const weaker = await attempt(target, "weak", means);
    if (tlsOf(weaker.probe)?.status === "established") probe = weaker.probe;
  }
  if (!target.oldTls || probe.status !== "answered" || probe.tls.status !== "established") return probe;
  const oldVersions = await findOldVersions(target, means);
  return oldVersions === undefined ? probe : { ...probe, tls: { ...probe.tls, oldVersions } };
}

/** Undefined where no version was accepted, and of one it could not be told. */
async function findOldVersions(target: ServiceTarget, means: Means): Promise<readonly string[] | undefined> {
  const { protocol, address, port, host, domain } = target;
  const handshakeOnly = { protocol, address, port, host, ...(domain !== undefined && { domain }) };
  const versions = await Promise.all(
    (["TLSv1", "TLSv1.1"] as const).map(async (version) => {
      const { probe } = await attempt(handshakeOnly, version, means);
      return { version, status: tlsOf(probe)?.status };
    }),
  );
  const accepted = versions.filter(({ status }) => status === "established");
  const isTold = versions.every(({ status }) => status === "established" || status === "failed");
  return isTold || accepted.length > 0 ? accepted.map(({ version }) => version) : undefined;
}

function tlsOf(probe: ServiceProbe): TlsProbe | undefined {
  return probe.status === "answered" ? probe.tls : undefined;
}

interface Attempt {
  readonly probe: ServiceProbe;
  readonly mayWorkWeaker: boolean;
}

async function attempt(target: ServiceTarget, profile: TlsProfile, means: Means): Promise<Attempt> {
  const plain = await connectTo(target, means.connectTimeoutMilliseconds, means.deadline);
  if ("status" in plain) return { probe: plain, mayWorkWeaker: false };
  const conversation = new Conversation(target, profile, means, plain);
  try {
    return await (TLS_FIRST.has(target.protocol) ? conversation.tlsFirst() : conversation.startTls());
  } catch (error) {
    if (!(error instanceof SessionBroken)) throw error;
    return { probe: { status: "broken", detail: error.message }, mayWorkWeaker: false };
  } finally {
    conversation.destroy();
  }
}

/** RFC 8314 §3: TLS from the first octet. */
const TLS_FIRST: ReadonlySet<Protocol> = new Set([
  "submissions",
  "imaps",
  "pop3s",
  "xmpps-client",
  "xmpps-server",
]);

/** One connection, from its first octet to its last. */
class Conversation {
  readonly #target: ServiceTarget;
  readonly #profile: TlsProfile;
  readonly #means: Means;
  readonly #plain: Socket;
  readonly #dialog: Dialog;
  readonly #where: string;
  #session: LineSession | undefined;

  constructor(target: ServiceTarget, profile: TlsProfile, means: Means, plain: Socket) {
    this.#target = target;
    this.#profile = profile;
    this.#means = means;
    this.#plain = plain;
    this.#dialog = dialogOf(target, means.heloName);
    this.#where = endpointText(target);
  }

  async tlsFirst(): Promise<Attempt> {
    const hands = await this.#shakeHands();
    if (!hands.ok) {
      // Nothing was told but by TLS; where not even that, nothing at all.
      if (hands.tls.status === "broken") return { probe: hands.tls, mayWorkWeaker: false };
      const probe: ServiceSession = {
        status: "answered",
        greeting: { text: "" },
        capabilities: [],
        tls: hands.tls,
      };
      return { probe, mayWorkWeaker: hands.mayWorkWeaker };
    }
    const session = this.#talk(hands.socket);
    const { greeting, serverName, capabilities, isWelcome } = await this.#dialog.open(session);
    const replies = isWelcome ? await this.#askEnvelope(session) : undefined;
    await session.end(this.#dialog.farewell);
    const probe: ServiceSession = {
      status: "answered",
      greeting,
      ...(serverName !== undefined && { serverName }),
      capabilities: [],
      tls: hands.session,
      ...(isWelcome && { capabilitiesInTls: capabilities }),
      ...(replies && { replies }),
    };
    return { probe, mayWorkWeaker: false };
  }

  async startTls(): Promise<Attempt> {
    const session = this.#talk(this.#plain);
    const { greeting, serverName, capabilities, isWelcome, offersTls } = await this.#dialog.open(session);
    const told = {
      status: "answered",
      greeting,
      ...(serverName !== undefined && { serverName }),
      capabilities,
    } as const;
    if (!isWelcome) {
      await session.end(this.#dialog.farewell);
      return { probe: { ...told, tls: { status: "not-tried" } }, mayWorkWeaker: false };
    }
    if (!offersTls) return this.#stayPlain(session, told, { status: "not-offered" });
    try {
      const refusal = await this.#dialog.requestTls(session);
      if (refusal !== undefined) {
        const detail = `${this.#where} offers TLS and refuses it: ${refusal}`;
        return await this.#stayPlain(session, told, { status: "failed", detail });
      }
    } catch (error) {
      return { probe: { ...told, tls: brokenTls(error) }, mayWorkWeaker: false };
    }
    if (session.hasMore) {
      // What came in the clear must not pass for what is said in TLS.
      const detail = `${this.#where} sent further text in the clear after it agreed to start TLS`;
      return { probe: { ...told, tls: { status: "broken", detail } }, mayWorkWeaker: false };
    }
    session.release();
    const hands = await this.#shakeHands();
    if (!hands.ok) return { probe: { ...told, tls: hands.tls }, mayWorkWeaker: hands.mayWorkWeaker };
    const inTls = await this.#askInTls(this.#talk(hands.socket));
    return { probe: { ...told, tls: hands.session, ...inTls }, mayWorkWeaker: false };
  }

  destroy(): void {
    this.#session?.destroy();
    this.#plain.destroy();
  }

  async #stayPlain(session: LineSession, told: Omit<ServiceSession, "tls">, tls: TlsProbe): Promise<Attempt> {
    const replies = await this.#askEnvelope(session);
    await session.end(this.#dialog.farewell);
    return { probe: { ...told, tls, ...(replies && { replies }) }, mayWorkWeaker: false };
  }

  /** The certificate is worth telling even where the rest breaks. */
  async #askInTls(session: LineSession): Promise<Pick<ServiceSession, "capabilitiesInTls" | "replies">> {
    let capabilitiesInTls: readonly string[] | undefined;
    let replies: ServiceSession["replies"];
    try {
      capabilitiesInTls = await this.#dialog.reopen(session);
      replies = await this.#askEnvelope(session);
      await session.end(this.#dialog.farewell);
    } catch (error) {
      if (!(error instanceof SessionBroken)) throw error;
    }
    return { ...(capabilitiesInTls && { capabilitiesInTls }), ...(replies && { replies }) };
  }

  async #askEnvelope(session: LineSession): Promise<ServiceSession["replies"]> {
    const { envelope } = this.#target;
    return envelope === undefined ? undefined : askEnvelope(session, envelope);
  }

  #talk(socket: Socket): LineSession {
    this.#session = new LineSession(socket, this.#where, this.#means.deadline);
    return this.#session;
  }

  #shakeHands() {
    const { host, protocol } = this.#target;
    return shakeHands({
      socket: this.#plain,
      where: this.#where,
      serverName: host,
      context: this.#means.contexts(this.#profile),
      ...(protocol === "xmpps-client" && { applicationProtocols: ["xmpp-client"] }),
      ...(protocol === "xmpps-server" && { applicationProtocols: ["xmpp-server"] }),
      deadline: this.#means.deadline,
    });
  }
}

function brokenTls(error: unknown): TlsProbe {
  if (!(error instanceof SessionBroken)) throw error;
  return { status: "broken", detail: error.message };
}

function dialogOf({ protocol, host, domain = host }: ServiceTarget, heloName: string): Dialog {
  switch (protocol) {
    case "smtp":
    case "submission":
    case "submissions":
      return smtpDialog(heloName);
    case "imap":
    case "imaps":
      return IMAP_DIALOG;
    case "pop3":
    case "pop3s":
      return POP3_DIALOG;
    case "sieve":
      return SIEVE_DIALOG;
    case "xmpp-client":
    case "xmpps-client":
      return xmppDialog("client", domain);
    case "xmpp-server":
    case "xmpps-server":
      return xmppDialog("server", domain);
    default:
      return protocol satisfies never;
  }
}
