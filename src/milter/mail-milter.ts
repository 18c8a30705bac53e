/**
 * What becomes of each message: outgoing mail is signed, incoming mail is authenticated and marked, and what policy
 * says is done. Settings, keys and means are taken anew for every message, so that a reload never touches one that is
 * under way.
 */

import { readArcSets } from "../standards/arc/arc-set.ts";
import { ArcSealer } from "../standards/arc/seal.ts";
import { forgedOccurrences } from "../standards/auth-results/forged.ts";
import { type AuthenticationResult, formatAuthenticationResults } from "../standards/auth-results/header.ts";
import { BodyHasher } from "../standards/dkim/body-hash.ts";
import type { DkimKeyRing } from "../standards/dkim/key-lookup.ts";
import { DkimSigner, type SignData, type SigningKey } from "../standards/dkim/sign.ts";
import { type FieldIndex, indexFields } from "../standards/dkim/signed-fields.ts";
import type { IpAddress } from "../standards/dns/address.ts";
import { type DomainName, parseDomainName } from "../standards/dns/name.ts";
import type { Resolver } from "../standards/dns/resolver.ts";
import { authorDomainsOf } from "../standards/message/address-list.ts";
import type { HeaderField } from "../standards/message/header-field.ts";
import { MailAuthenticator } from "./authenticate.ts";
import type { MailAuthentication } from "./authentication.ts";
import { clientIpOf, type Direction, directionOf } from "./direction.ts";
import type {
  BodyInterest,
  ConnectionHandler,
  HeaderChange,
  MailAction,
  MailEnvelope,
  MailOutcome,
  MessageHandler,
  MilterConnection,
} from "./mail-handler.ts";
import { decide, type PolicyDecision } from "./policy.ts";
import { resultsOf } from "./result-fields.ts";
import type { MilterSettings } from "./settings.ts";
import type { FoundKeys, KeyLack, SigningTable } from "./signing-table.ts";

export interface MilterMeans {
  readonly settings: MilterSettings;
  readonly table: SigningTable;
  readonly keys: DkimKeyRing;
  /** For one message: it stops asking when the message's time for DNS is used up. */
  readonly openResolver: () => { readonly resolver: Resolver; close(): void };
  readonly now: () => Date;
  readonly signData: SignData;
  /** One call for each message that has come to its end. */
  readonly onMessage: (record: MessageRecord) => void;
}

/** What is known of a message when it is done, for the log and for counting. */
export interface MessageRecord {
  readonly queueId: string | undefined;
  readonly direction: Direction;
  readonly envelope: Pick<MailEnvelope, "helo" | "mailFrom">;
  readonly authorDomain: DomainName | undefined;
  readonly action: MailAction;
  readonly milliseconds: number;
  readonly signing?: { readonly keys: readonly SigningKey[]; readonly unsignedBecause: Unsigned | undefined };
  readonly authentication?: MailAuthentication;
  readonly decision?: PolicyDecision;
  readonly forgedResults: number;
  readonly headerTooLarge: boolean;
}

export type Unsigned = "no-author" | KeyLack | "not-own-domain" | "header-too-large";

export interface HeaderLimits {
  readonly fields: number;
  readonly octets: number;
}

/** Beyond what MTAs hand on by default; what is larger is neither signed nor authenticated, and said to be so. */
export const HEADER_LIMITS: HeaderLimits = { fields: 2_000, octets: 1_048_576 };

/** `means` is asked for each message. */
export function connectMail(connection: MilterConnection, means: () => MilterMeans): ConnectionHandler {
  const clientIp = clientIpOf(connection);
  return { begin: (envelope) => new MailMessage(connection, clientIp, envelope, means()) };
}

/** What is done with the body and at the end, once the header is complete. */
interface Work {
  readonly body: BodyHasher;
  finish(): Promise<Pick<MessageRecord, "signing" | "authentication" | "decision"> & MailOutcome>;
}

class MailMessage implements MessageHandler {
  readonly #connection: MilterConnection;
  readonly #envelope: MailEnvelope;
  readonly #means: MilterMeans;
  readonly #startedAt: number;
  readonly #direction: Direction;
  #fields: HeaderField[] = [];
  #octets = 0;
  #isTooLarge = false;
  #forged: readonly number[] = [];
  #authorDomain: DomainName | undefined;
  #work: Work | undefined;
  #close: (() => void) | undefined;
  #isOver = false;
  /** Why nobody signs, where nobody does. */
  #lack: KeyLack = "no-key";

  constructor(
    connection: MilterConnection,
    clientIp: IpAddress | undefined,
    envelope: MailEnvelope,
    means: MilterMeans,
  ) {
    this.#connection = connection;
    this.#envelope = envelope;
    this.#means = means;
    this.#startedAt = means.now().getTime();
    this.#direction = directionOf(connection, clientIp, envelope, means.settings.outgoing);
  }

  header(field: HeaderField): void {
    this.#octets += field.name.length + field.value.length + 3;
    if (this.#fields.length >= HEADER_LIMITS.fields || this.#octets > HEADER_LIMITS.octets)
      this.#isTooLarge = true;
    // The results of others are looked for to the very end; the rest need not be kept.
    if (!this.#isTooLarge || field.key === "authentication-results") this.#fields.push(field);
  }

  endOfHeaders(): BodyInterest | Promise<BodyInterest> {
    const { settings } = this.#means;
    this.#forged = forgedOccurrences(this.#fields, [settings.authservId, ...settings.trustedIds]);
    const fields = this.#isTooLarge ? [] : this.#fields;
    const index = indexFields(fields);
    const authors = authorDomainsOf(index.get("from") ?? []);
    this.#authorDomain = authors.status === "one" ? authors.domain : undefined;
    this.#fields = [];
    const keys = this.#keysToSignWith();
    const begin = ({ keys: found, lack }: FoundKeys): BodyInterest => {
      if (this.#isOver) return "skip";
      this.#lack = lack;
      this.#work = this.#direction.isOutgoing
        ? this.#sign(index, found)
        : this.#authenticate(index, fields, found[0]);
      return this.#work === undefined || this.#work.body.isIdle ? "skip" : "continue";
    };
    // Keys that are held in memory are there at once, and nobody waits for them.
    return keys instanceof Promise ? keys.then(begin) : begin(keys);
  }

  /** Those of the author; or those that seal what comes in. */
  #keysToSignWith(): FoundKeys | Promise<FoundKeys> {
    const { settings, table } = this.#means;
    if (!this.#direction.isOutgoing) {
      const isSealed = this.#direction.clientIp !== undefined && settings.sealAs !== undefined;
      return isSealed ? table.keysFor(settings.sealAs) : NO_KEYS;
    }
    if (this.#authorDomain === undefined || !this.#maySpeakFor(this.#authorDomain)) return NO_KEYS;
    return table.keysFor(this.#authorDomain);
  }

  body(chunk: Uint8Array): BodyInterest {
    this.#work?.body.update(chunk);
    return "continue";
  }

  async end(macros: ReadonlyMap<string, string>): Promise<MailOutcome> {
    try {
      this.#work?.body.finish();
      const { action, changes, ...about } = (await this.#work?.finish()) ?? ACCEPTED;
      const removals = this.#forged.map(
        (occurrence): HeaderChange => ({ kind: "remove", name: "Authentication-Results", occurrence }),
      );
      this.#means.onMessage({
        queueId: macros.get("i"),
        direction: this.#direction,
        envelope: this.#envelope,
        authorDomain: this.#authorDomain,
        action,
        milliseconds: this.#means.now().getTime() - this.#startedAt,
        forgedResults: removals.length,
        headerTooLarge: this.#isTooLarge,
        ...(this.#direction.isOutgoing && about.signing === undefined
          ? { signing: { keys: [], unsignedBecause: this.#unsignedBecause() } }
          : {}),
        ...about,
      });
      return { action, changes: [...removals, ...changes] };
    } finally {
      this.#close?.();
    }
  }

  abort(): void {
    this.#isOver = true;
    this.#close?.();
  }

  #sign(index: FieldIndex, keys: readonly SigningKey[]): Work | undefined {
    const { settings, signData, now } = this.#means;
    if (keys.length === 0) return undefined;
    const body = new BodyHasher();
    const { headerCanonicalization, bodyCanonicalization, expiresAfterSeconds } = settings.signing;
    const signer = new DkimSigner(index, body, {
      headerCanonicalization,
      bodyCanonicalization,
      ...(expiresAfterSeconds !== undefined && { expiresAfterSeconds }),
      now: now(),
    });
    return {
      body,
      finish: async () => ({
        action: { kind: "accept" },
        changes: (await signer.finish(keys, signData)).map(insertOnTop),
        signing: { keys, unsignedBecause: undefined },
      }),
    };
  }

  #maySpeakFor(domain: DomainName): boolean {
    const { login } = this.#direction;
    if (this.#means.settings.signing.logins === "any" || login === undefined || !login.includes("@"))
      return true;
    const own = parseDomainName(login.slice(login.lastIndexOf("@") + 1));
    return own.ok && own.value === domain;
  }

  #unsignedBecause(): Unsigned {
    if (this.#isTooLarge) return "header-too-large";
    if (this.#authorDomain === undefined) return "no-author";
    if (!this.#maySpeakFor(this.#authorDomain)) return "not-own-domain";
    return this.#lack;
  }

  #authenticate(
    index: FieldIndex,
    fields: readonly HeaderField[],
    sealKey: SigningKey | undefined,
  ): Work | undefined {
    const { settings, keys, now, openResolver, signData } = this.#means;
    const { clientIp } = this.#direction;
    if (clientIp === undefined) return undefined;
    const { helo, mailFrom } = this.#envelope;
    const { resolver, close } = openResolver();
    this.#close = close;
    const body = new BodyHasher();
    const receiver = this.#connection.macros.get("j") ?? settings.authservId;
    const authenticator = new MailAuthenticator(
      index,
      body,
      { clientIp, helo, mailFrom },
      { resolver, keys, now: now(), receiver },
    );
    // What was not read is not vouched for.
    const sealer =
      sealKey === undefined || this.#isTooLarge
        ? undefined
        : new ArcSealer(body, { key: sealKey, now: now() });
    return {
      body,
      finish: async () => {
        const found = await authenticator.finish();
        const authentication: MailAuthentication = this.#isTooLarge
          ? { ...found, dmarc: { status: "no-author-domain", problem: UNREAD_HEADER } }
          : found;
        const decision = decide(authentication, settings.policy, settings.trustedSealers);
        const { authservId } = settings;
        const value = formatAuthenticationResults({
          authservId,
          results: this.#isTooLarge
            ? resultsOf(authentication, decision).map(unreadIfOfHeader)
            : resultsOf(authentication, decision),
        });
        const results = { name: "Authentication-Results", value };
        const set = await sealer?.finish(
          {
            index: withoutRemoved(index, fields, this.#forged),
            before: readArcSets(index),
            chainStatus: authentication.arc.result,
            authenticationResults: value,
          },
          signData,
        );
        return {
          action: decision.action,
          changes: [...(set ?? []), results].map(insertOnTop),
          authentication,
          decision,
        };
      },
    };
  }
}

const UNREAD_HEADER = `the header has more than ${HEADER_LIMITS.fields} fields or ${HEADER_LIMITS.octets} octets, and was not read`;

/** Signatures and seals may be there, and nobody has looked. */
const unreadIfOfHeader = (result: AuthenticationResult): AuthenticationResult =>
  result.method === "dkim" || result.method === "arc" ? { ...result, reason: UNREAD_HEADER } : result;

const NO_KEYS: FoundKeys = { keys: [], lack: "no-key" };
const ACCEPTED: Awaited<ReturnType<Work["finish"]>> = { action: { kind: "accept" }, changes: [] };

const insertOnTop = ({ name, value }: Pick<HeaderField, "name" | "value">): HeaderChange => ({
  kind: "insert",
  index: 0,
  name,
  value,
});

/** The header as it goes on: what is sealed must be what the next station sees. */
function withoutRemoved(
  index: FieldIndex,
  fields: readonly HeaderField[],
  removed: readonly number[],
): FieldIndex {
  if (removed.length === 0) return index;
  let occurrence = 0;
  return indexFields(
    fields.filter(({ key }) => {
      if (key !== "authentication-results") return true;
      occurrence += 1;
      return !removed.includes(occurrence);
    }),
  );
}
