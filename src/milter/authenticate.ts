/** Authenticating one message while it streams past: SPF, DKIM, ARC, iprev, and DMARC, which joins them. */
import { ArcValidator } from "../standards/arc/validate.ts";
import { evaluateIprev, type IprevOutcome } from "../standards/auth-results/iprev.ts";
import type { BodyHasher } from "../standards/dkim/body-hash.ts";
import type { DkimKeyRing } from "../standards/dkim/key-lookup.ts";
import type { FieldIndex } from "../standards/dkim/signed-fields.ts";
import { type DkimVerification, DkimVerifier } from "../standards/dkim/verify.ts";
import { type DmarcOutcome, evaluateDmarc } from "../standards/dmarc/evaluate.ts";
import { discoverDmarc } from "../standards/dmarc/tree-walk.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { Resolver } from "../standards/dns/resolver.ts";
import { type AuthorDomains, authorDomainsOf } from "../standards/message/address-list.ts";
import { evaluateSpf, type SpfOutcome } from "../standards/spf/evaluate.ts";
import type { MailAuthentication, MailOrigin, MessageDmarc } from "./authentication.ts";

export interface AuthenticationMeans {
  readonly resolver: Resolver;
  readonly keys: DkimKeyRing;
  readonly now: Date;
  /** The host that checks, for the macro %{r} of SPF. */
  readonly receiver?: string;
}

/** Of several Author Domains, so many are evaluated: each may cost a tree walk (RFC 9989 §11.5). */
const MAX_AUTHOR_DOMAINS = 4;

/**
 * To be made when the header is complete: all questions to DNS are on their way then, while the body is still coming
 * in. `finish` is to be called when `hasher` is finished.
 */
export class MailAuthenticator {
  readonly #origin: MailOrigin;
  readonly #resolver: Resolver;
  readonly #dkim: DkimVerifier;
  readonly #arc: ArcValidator;
  readonly #spf: Promise<SpfOutcome>;
  readonly #iprev: Promise<IprevOutcome>;
  readonly #authors: AuthorDomains;

  constructor(index: FieldIndex, hasher: BodyHasher, origin: MailOrigin, means: AuthenticationMeans) {
    const { resolver, keys, now, receiver } = means;
    this.#origin = origin;
    this.#resolver = resolver;
    this.#dkim = new DkimVerifier(index, hasher, { resolver, keys, now });
    this.#arc = new ArcValidator(index, hasher, { resolver, keys });
    this.#spf = evaluateSpf({ ...origin, now, ...(receiver !== undefined && { receiver }) }, resolver);
    this.#iprev = evaluateIprev(origin.clientIp, resolver);
    this.#authors = authorDomainsOf(index.get("from") ?? []);
    for (const promise of [this.#spf, this.#iprev]) promise.catch(() => {});
    // Its answers are kept by the resolver until they are needed.
    if (this.#authors.status === "one") discoverDmarc(this.#authors.domain, resolver).catch(() => {});
  }

  /** Rejects only where the resolver does. */
  async finish(): Promise<MailAuthentication> {
    const [spf, iprev, dkim, arc] = await Promise.all([
      this.#spf,
      this.#iprev,
      this.#dkim.finish(),
      this.#arc.finish(),
    ]);
    const { skippedSignatures } = this.#dkim;
    const dmarc = await evaluateMessageDmarc(this.#authors, spf, dkim, this.#resolver);
    return { origin: this.#origin, iprev, spf, dkim, skippedSignatures, arc, dmarc };
  }
}

/** `spf` is undefined where nobody knows what it would say. */
export async function evaluateMessageDmarc(
  authors: AuthorDomains,
  spf: Pick<SpfOutcome, "result" | "domain"> | undefined,
  dkim: readonly DkimVerification[],
  resolver: Resolver,
): Promise<MessageDmarc> {
  if (authors.status === "none") return { status: "no-author-domain", problem: authors.problem };
  const evaluate = async (authorDomain: DomainName) => ({
    authorDomain,
    outcome: await evaluateDmarc(
      {
        authorDomain,
        ...(spf?.domain !== undefined && { spf: { result: spf.result, domain: spf.domain } }),
        dkim: dkim.flatMap(({ result, signature }) =>
          signature === undefined ? [] : [{ result, domain: signature.signingDomain }],
        ),
      },
      resolver,
    ),
  });
  if (authors.status === "one") return { status: "evaluated", ...(await evaluate(authors.domain)) };
  const all = await Promise.all(authors.domains.slice(0, MAX_AUTHOR_DOMAINS).map(evaluate));
  const worst = all.reduce((one, other) => (severity(other.outcome) > severity(one.outcome) ? other : one));
  return { status: "evaluated", ...worst, problem: authors.problem };
}

const RESULT_SEVERITY = { pass: 0, none: 1, permerror: 2, temperror: 3, fail: 4 } as const;
const DISPOSITION_SEVERITY = { none: 0, quarantine: 0.1, reject: 0.2 } as const;

const severity = ({ result, disposition }: DmarcOutcome): number =>
  RESULT_SEVERITY[result] + DISPOSITION_SEVERITY[disposition];
