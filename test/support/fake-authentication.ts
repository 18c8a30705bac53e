/** Authentication in which SPF and DMARC are real, and the rest is what the test says. */
import type { MailAuthentication } from "../../src/milter/authentication.ts";
import type { AuthenticateMessage } from "../../src/milter/proof.ts";
import type { DkimResult } from "../../src/standards/dkim/result.ts";
import type { DkimVerification } from "../../src/standards/dkim/verify.ts";
import { evaluateDmarc } from "../../src/standards/dmarc/evaluate.ts";
import { type DomainName, domainName } from "../../src/standards/dns/name.ts";
import { headerField } from "../../src/standards/message/header-field.ts";
import { evaluateSpf } from "../../src/standards/spf/evaluate.ts";

export interface FakedResults {
  readonly dkim?: readonly DkimVerification[];
  readonly iprev?: MailAuthentication["iprev"];
  readonly arc?: MailAuthentication["arc"];
  readonly dmarc?: MailAuthentication["dmarc"];
  /** Whose domain stands in From; example.org where absent. */
  readonly authorDomain?: DomainName;
}

export function signature(result: DkimResult, domain = "example.org", problem?: string): DkimVerification {
  return {
    result,
    field: headerField("DKIM-Signature", " v=1"),
    signature: {
      keyType: "rsa",
      hash: "sha256",
      dkimSelector: "s1",
      signingDomain: domainName(domain),
    } as DkimVerification["signature"],
    key: undefined,
    isTesting: false,
    cause: problem === undefined ? undefined : "body-changed",
    problem,
  };
}

export function fakeAuthentication(results: FakedResults = {}): AuthenticateMessage {
  const { dkim = [signature("pass")], authorDomain = domainName("example.org") } = results;
  return async ({ clientIp, helo, mailFrom }, _message, resolver) => {
    const spf = await evaluateSpf({ clientIp, helo, mailFrom }, resolver);
    const outcome = await evaluateDmarc(
      {
        authorDomain,
        ...(spf.domain !== undefined && { spf: { result: spf.result, domain: spf.domain } }),
        dkim: dkim.flatMap(({ result, signature: read }) =>
          read === undefined ? [] : [{ result, domain: read.signingDomain }],
        ),
      },
      resolver,
    );
    return {
      origin: { clientIp, helo, mailFrom },
      skippedSignatures: 0,
      iprev: results.iprev ?? {
        result: "pass",
        names: [domainName("mail.example.org")],
        problem: undefined,
      },
      spf,
      dkim,
      arc: results.arc ?? {
        result: "none",
        isTemporary: false,
        sets: [],
        oldestPass: undefined,
        problem: undefined,
      },
      dmarc: results.dmarc ?? { status: "evaluated", authorDomain, outcome },
    };
  };
}
