/** Certificate authorities by the organization in their certificates, and the domains that CAA records call them by (RFC 8659 §4.2). */
import { type DomainName, domainName } from "../dns/name.ts";

/** The CAA domains are those that each authority names in its certification practice statement. */
const ISSUERS: readonly (readonly [organization: RegExp, ...domains: readonly string[]])[] = [
  [/^let's encrypt$/i, "letsencrypt.org"],
  [/^google trust services/i, "pki.goog"],
  [
    /^(zerossl|sectigo|comodo|the usertrust)/i,
    "sectigo.com",
    "comodoca.com",
    "comodo.com",
    "usertrust.com",
    "trust-provider.com",
  ],
  [
    /^(digicert|geotrust|thawte|rapidssl|quovadis)/i,
    "digicert.com",
    "geotrust.com",
    "thawte.com",
    "rapidssl.com",
    "symantec.com",
    "quovadisglobal.com",
  ],
  [/^globalsign/i, "globalsign.com"],
  [/^amazon$/i, "amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"],
  [/^buypass/i, "buypass.com", "buypass.no"],
  [/^actalis/i, "actalis.it"],
  [/^ssl corporation|^ssl\.com/i, "ssl.com"],
  [/^godaddy|^starfield/i, "godaddy.com", "starfieldtech.com"],
  [/^entrust/i, "entrust.net"],
  [/^harica|hellenic academic/i, "harica.gr"],
  [/^certum|^asseco|^unizeto/i, "certum.pl", "certum.eu"],
  [/^telekom security|^deutsche telekom|^t-systems/i, "telesec.de"],
  [/^d-trust/i, "d-trust.net", "dtrust.de"],
  [/^swisssign/i, "swisssign.com"],
  [/^microsoft corporation$/i, "microsoft.com"],
  [/^identrust/i, "identrust.com"],
  [/^(gandi)/i, "gandi.net", "sectigo.com"],
];

/** Empty where the organization is not known: then nothing can be said of what CAA makes of it. */
export function caaDomainsOf(organization: string): readonly DomainName[] {
  const known = ISSUERS.find(([pattern]) => pattern.test(organization));
  return known === undefined ? [] : known.slice(1).map((text) => domainName(text as string));
}
