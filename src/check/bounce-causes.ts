/**
 * What receivers say when they refuse mail, and what is behind it. A row for each cause, the certain before the
 * general: the first that fits is the answer. A new text is a new row.
 */
import type { FindingCode, Group } from "./catalogue.ts";

export type Provider = "google" | "yahoo" | "microsoft" | "apple";

export const PROVIDER_NAMES: Readonly<Record<Provider, string>> = {
  google: "Gmail",
  yahoo: "Yahoo",
  microsoft: "Microsoft",
  apple: "Apple iCloud",
};

export interface BounceCause {
  /** Permanent, kebab-case. */
  readonly id: string;
  /** Where absent, whoever says it. */
  readonly provider?: Provider;
  /** Fits the enhanced status code: "5.7.26". */
  readonly code?: RegExp;
  /** Fits the words, on one line. */
  readonly says?: RegExp;
  /** One plain sentence. */
  readonly meaning: string;
  /** What to do, in a sentence or two. */
  readonly advice: string;
  /**
   * Which of our findings tell it, the likeliest first; none where DNS has nothing to do with it. A code that is named
   * counts as a notice too: without the bounce it was no more than a hint.
   */
  readonly checks: readonly (FindingCode | Group)[];
  /** Whose domain has to be looked at. */
  readonly about: "sender" | "recipient";
  /** An RFC section, or the page of whoever says it. */
  readonly reference: string;
  /** It passes by itself, and nothing is to be done. */
  readonly isHarmless?: true;
}

const GMAIL_CODES = "https://support.google.com/a/answer/3726730";
const GMAIL_RULES = "https://support.google.com/mail/answer/81126";
const YAHOO_CODES = "https://senders.yahooinc.com/smtp-error-codes/";
const MICROSOFT_CODES =
  "https://learn.microsoft.com/en-us/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online";
const OUTLOOK_PAGE = "https://sendersupport.olc.protection.outlook.com/pm/troubleshooting.aspx";
const MICROSOFT_DELIST = "https://sender.office.com/";
const APPLE_PAGE = "https://support.apple.com/en-us/102322";
const SPAMHAUS_CHECK = "https://check.spamhaus.org/";
const POSTFIX_UCE = "https://www.postfix.org/postconf.5.html";

/** A refusal that concerns what the sender publishes. */
type SenderRow = readonly [
  id: string,
  fits: { readonly provider?: Provider; readonly code?: RegExp; readonly says?: RegExp },
  meaning: string,
  advice: string,
  checks: BounceCause["checks"],
  reference: string,
];

const ofSender = (rows: readonly SenderRow[]): BounceCause[] =>
  rows.map(([id, fits, meaning, advice, checks, reference]) => ({
    id,
    ...fits,
    meaning,
    advice,
    checks,
    about: "sender",
    reference,
  }));

const ofRecipient = (rows: readonly SenderRow[]): BounceCause[] =>
  ofSender(rows).map((cause) => ({ ...cause, about: "recipient" }));

const AUTHENTICATION = [
  "dmarc-without-authentication",
  "spf-address-not-covered",
  "spf",
  "dkim",
  "dmarc",
] as const;

const GMAIL = ofSender([
  [
    "gmail-dmarc-policy",
    { provider: "google", says: /not accepted due to domain's DMARC policy/i },
    "Neither SPF nor DKIM passed for the domain in From, and its own DMARC policy asks to refuse such mail.",
    "Let the server that sent it sign with DKIM for the domain, or add its address to SPF with an envelope sender of the domain.",
    AUTHENTICATION,
    GMAIL_CODES,
  ],
  [
    "gmail-unauthenticated",
    { provider: "google", code: /^[45]\.7\.26$/ },
    "The mail passed neither SPF nor DKIM; Gmail asks every sender for one of them.",
    "Publish SPF with every address that sends, sign with DKIM, and publish the key.",
    ["spf", "dkim", "dmarc"],
    GMAIL_CODES,
  ],
  [
    "gmail-reverse-ipv6",
    { provider: "google", says: /IPv6 sending guidelines regarding PTR/i },
    "The server sent from an IPv6 address that has no reverse name, or the mail from there is not authenticated.",
    "Ask the owner of the address for a PTR that leads to the server's name, and give that name the address; or let the server send by IPv4 alone.",
    ["reverse", "spf", "dkim"],
    GMAIL_RULES,
  ],
  [
    "gmail-reverse",
    { provider: "google", code: /^(?:[45]\.7\.25|[45]\.7\.23)$/ },
    "The sending address has no reverse name, or that name does not lead back to the address.",
    "Ask the owner of the address for a PTR, and give the name an A or AAAA record with the address.",
    ["reverse"],
    GMAIL_CODES,
  ],
  [
    "gmail-spf",
    { provider: "google", code: /^[45]\.7\.27$/ },
    "SPF did not pass for the address that sent the mail.",
    "Add the address to the SPF record of the envelope sender's domain.",
    ["spf-address-not-covered", "spf"],
    GMAIL_CODES,
  ],
  [
    "gmail-rate",
    { provider: "google", code: /^[45]\.7\.28$/ },
    "Gmail holds mail back because unusually much, or unusually much unwanted mail, comes from the address or domain.",
    "Send more slowly, look for an account that sends spam, and watch Postmaster Tools.",
    ["reputation"],
    GMAIL_CODES,
  ],
  [
    "gmail-rate-words",
    { provider: "google", says: /unusual rate of unsolicited mail/i },
    "Gmail blocks the sending address because much unwanted mail came from it.",
    "Look for an account or a form that sends spam, then send slowly until the reputation is back.",
    ["reputation", "reverse"],
    GMAIL_RULES,
  ],
  [
    "gmail-tls",
    { provider: "google", code: /^[45]\.7\.29$/ },
    "The mail was sent without TLS; Gmail asks every sender for it.",
    "Let the mail server use TLS when it sends (in Postfix: smtp_tls_security_level = may).",
    [],
    GMAIL_CODES,
  ],
  [
    "gmail-dkim",
    { provider: "google", code: /^[45]\.7\.30$/ },
    "DKIM did not pass: no signature, a key that is not published, or a body changed on the way.",
    "Compare the published key with that of the signer, and let every outgoing mail be signed.",
    ["dkim"],
    GMAIL_CODES,
  ],
  [
    "gmail-alignment",
    { provider: "google", code: /^[45]\.7\.32$/ },
    "SPF or DKIM passed, but for another domain than that in From.",
    "Sign with the domain of From, or use an envelope sender of it.",
    ["dmarc-strict-alignment", "dmarc", "dkim", "spf"],
    GMAIL_CODES,
  ],
  [
    "gmail-dmarc-missing",
    { provider: "google", code: /^(?:[45]\.7\.40|4\.7\.31)$/ },
    "The domain in From has no DMARC record, or none with a policy; Gmail asks bulk senders for one.",
    "Publish a DMARC record; p=none is enough.",
    ["dmarc-missing", "dmarc"],
    GMAIL_CODES,
  ],
  [
    "gmail-low-reputation",
    { provider: "google", says: /very low reputation|likely (?:unsolicited|suspicious)/i },
    "Gmail takes the mail for spam, by its content or by the reputation of the address or domain.",
    "DNS alone does not mend this: send wanted mail only, in small steps, and watch Postmaster Tools.",
    ["reputation", "spf", "dkim", "dmarc", "reverse"],
    GMAIL_RULES,
  ],
  [
    "gmail-format",
    {
      provider: "google",
      says: /not RFC 5322 compliant|missing a valid (?:address|messageid)|multiple addresses in From/i,
    },
    "The mail's header is not as the standard asks: a field is missing or stands there twice.",
    "Mend the program that writes the mail; DNS has nothing to do with it.",
    [],
    "RFC 5322 §3.6",
  ],
  [
    "gmail-recipient-rate",
    { provider: "google", says: /receiving mail (?:too quickly|at a rate)/i },
    "The recipient gets too much mail at the moment.",
    "Wait; the server tries again.",
    [],
    GMAIL_CODES,
  ],
  [
    "gmail-temporary",
    { provider: "google", says: /Temporary System Problem|Server busy/i },
    "Gmail has a problem of its own.",
    "Wait; the server tries again.",
    [],
    GMAIL_CODES,
  ],
]);

const YAHOO = ofSender([
  [
    "yahoo-deferred-for-good",
    { provider: "yahoo", says: /\[TSS?(?:03|09)\]|permanently deferred/i },
    "Yahoo refuses all mail from the address until it changes its mind; trying again does not help.",
    "Find out what was sent from the address, end it, and write to Yahoo's sender support.",
    ["reputation", "reverse", "spf", "dkim"],
    YAHOO_CODES,
  ],
  [
    "yahoo-complaints",
    { provider: "yahoo", says: /\[TSS?\d\d\]|unexpected volume or user complaints/i },
    "Yahoo holds mail back because of much mail, or of complaints about it.",
    "Send more slowly and only to people who asked for it; the mail is tried again.",
    ["reputation", "spf", "dkim", "dmarc"],
    YAHOO_CODES,
  ],
  [
    "yahoo-block-list",
    { provider: "yahoo", says: /\[BL\d\d\]/i },
    "Yahoo takes no connection from the address because it is on a block list that Yahoo uses.",
    "Look the address up at Spamhaus, end what caused the listing, and ask for removal there.",
    ["reputation", "reverse"],
    YAHOO_CODES,
  ],
  [
    "yahoo-policy",
    { provider: "yahoo", code: /^5\.7\.9$/ },
    "Yahoo refuses the mail for policy reasons: authentication failed, or the content is unwanted.",
    "Let SPF and DKIM pass for the domain in From; then look at links and attachments.",
    AUTHENTICATION,
    YAHOO_CODES,
  ],
]);

const MICROSOFT = ofSender([
  [
    "microsoft-authentication-level",
    { provider: "microsoft", code: /^5\.7\.515$/ },
    "Outlook.com asks senders of much mail that SPF and DKIM pass and that DMARC is published and aligned; one of these failed.",
    "The end of the text says which: mend that record, and let every mail be signed.",
    AUTHENTICATION,
    "https://support.microsoft.com/en-us/topic/fix-ndr-error-550-5-7-515-in-outlook-com-34cfe8f8-6fbf-457e-9e8b-9e4dbaf4e0ef",
  ],
  [
    "microsoft-dmarc",
    { provider: "microsoft", code: /^5\.7\.509$/ },
    "The mail failed DMARC, and the policy of the domain in From asks to refuse it.",
    "Let the server that sent it sign with DKIM for the domain, or cover it by SPF with an envelope sender of the domain.",
    AUTHENTICATION,
    MICROSOFT_CODES,
  ],
  [
    "microsoft-spf",
    { provider: "microsoft", code: /^5\.7\.23$/ },
    "The address that sent the mail is not in the SPF record of the envelope sender's domain.",
    "Add the address to the SPF record; for forwarded mail, let the forwarder rewrite the envelope sender.",
    ["spf-address-not-covered", "spf"],
    MICROSOFT_CODES,
  ],
  [
    "microsoft-ipv6-authentication",
    { provider: "microsoft", code: /^[45]\.7\.26$/ },
    "Mail over IPv6 has to pass SPF or DKIM, and this did neither.",
    "Add the IPv6 address to SPF, sign with DKIM, or send by IPv4 alone.",
    ["spf-address-not-covered", "spf", "dkim"],
    MICROSOFT_CODES,
  ],
  [
    "microsoft-banned-sender",
    { provider: "microsoft", code: /^5\.7\.511$/ },
    "Microsoft has banned the sending address, and its own form does not lift that.",
    "Follow the instruction in the text: forward the bounce to the address that it names.",
    ["reputation", "reverse"],
    MICROSOFT_CODES,
  ],
  [
    "microsoft-banned-address",
    { provider: "microsoft", code: /^5\.7\.6(?:0[6-9]|[1-4]\d)$/ },
    "Microsoft has banned the sending address, because of suspicious or unwanted mail from it.",
    `End the cause, then ask for removal at ${MICROSOFT_DELIST}.`,
    ["reputation", "reverse", "spf", "dkim"],
    MICROSOFT_CODES,
  ],
  [
    "microsoft-throttled",
    { provider: "microsoft", code: /^4\.7\.(?:5\d\d|6\d\d)$/ },
    "Microsoft saw suspicious activity from the address, and holds its mail back for now.",
    "Send slowly and wait: an address that is new has to earn its reputation.",
    ["reputation", "reverse", "spf", "dkim"],
    MICROSOFT_CODES,
  ],
  [
    "microsoft-new-tenant",
    { provider: "microsoft", code: /^5\.7\.708$/ },
    "Mail leaves Microsoft 365 from an address without reputation, as new or trial tenants have it.",
    "Use a paid subscription, or ask Microsoft's support to lift the limit.",
    [],
    MICROSOFT_CODES,
  ],
  [
    "microsoft-network-block",
    { provider: "microsoft", says: /\bS31(?:40|50)\b|part of their network is on our block list/i },
    "Outlook.com blocks the sending address, or the network around it.",
    "Ask for mitigation with Outlook's sender support form, and register the address with SNDS to see why.",
    ["reputation", "reverse"],
    OUTLOOK_PAGE,
  ],
]);

const MICROSOFT_RECIPIENT = ofRecipient([
  [
    "microsoft-no-recipient",
    { provider: "microsoft", code: /^5\.4\.1$/ },
    "The recipient's domain at Microsoft 365 knows no such address, or the domain is not set up there.",
    "Check the address for a typing mistake; the recipient's administrator looks at accepted domains and MX.",
    ["mx"],
    MICROSOFT_CODES,
  ],
]);

const APPLE = ofSender([
  [
    "apple-dmarc",
    { provider: "apple", says: /DMARC policy/i },
    "The mail failed DMARC, and the policy of the domain in From asks to refuse it.",
    "Let SPF or DKIM pass for the domain in From.",
    AUTHENTICATION,
    APPLE_PAGE,
  ],
  [
    "apple-local-policy",
    { provider: "apple", says: /\[(?:CS|HM)\d\d\]|due to local policy/i },
    "Apple's filter refused the mail, by its content or by the reputation of the sender; Apple does not say which.",
    "Let authentication and reverse DNS be right, then write to Apple's postmaster with the log lines.",
    ["reputation", "reverse", "spf", "dkim", "dmarc"],
    APPLE_PAGE,
  ],
  [
    "apple-volume",
    { provider: "apple", says: /deferred due to excessive volume/i },
    "The recipient gets too much mail at the moment.",
    "Wait; the server tries again.",
    [],
    APPLE_PAGE,
  ],
]);

const BLOCK_LISTS = ofSender([
  [
    "dnsbl-asked-wrongly",
    { says: /127\.255\.255\.25[0-9]|open resolver|public resolver|Error: open resolver/i },
    "The receiver asks Spamhaus through a public resolver, gets an error, and takes it for a listing: your address is not listed.",
    "The receiver has to ask through a resolver of its own, and to count 127.0.0.x alone as a listing; tell its postmaster.",
    [],
    "https://www.spamhaus.com/resource-center/help-for-spamhaus-projects-legacy-blocklist-users",
  ],
  [
    "dnsbl-spamhaus-domain",
    { says: /dbl\.spamhaus|Spamhaus DBL|domain present in the Spamhaus/i },
    "A domain in the mail, or the sender's, is on the domain block list of Spamhaus.",
    "Look the domain up there, end the cause (a hacked site, mostly), and ask for removal.",
    ["reputation"],
    SPAMHAUS_CHECK,
  ],
  [
    "dnsbl-spamhaus-policy",
    { says: /pbl\.spamhaus|spamhaus\.org\/(?:query\/)?pbl|Policy Blocklist/i },
    "The sending address is in a range that should not send mail by itself: a home line, mostly.",
    "Send through your provider's server; for a server of your own, ask the owner of the address for a reverse name and remove it from the list.",
    ["reputation", "ptr-generic", "reverse"],
    SPAMHAUS_CHECK,
  ],
  [
    "dnsbl-spamhaus",
    { says: /spamhaus/i },
    "The sending address is on a block list of Spamhaus.",
    "Look it up there: CSS mostly means a wrong HELO or reverse name, XBL a hacked machine, SBL spam that was seen.",
    ["reputation", "reverse", "spf-helo-missing"],
    SPAMHAUS_CHECK,
  ],
  [
    "dnsbl-spamcop",
    { says: /spamcop/i },
    "SpamCop lists the sending address because of reports about mail from it.",
    "End the cause; the entry goes by itself about a day after the last report.",
    ["reputation"],
    "https://www.spamcop.net/bl.shtml",
  ],
  [
    "dnsbl-barracuda",
    { says: /barracuda/i },
    "The sending address has a bad reputation at Barracuda.",
    "End the cause, then ask for removal.",
    ["reputation"],
    "https://www.barracudacentral.org/lookups",
  ],
  [
    "dnsbl-uceprotect",
    { says: /uceprotect/i },
    "The sending address, or the whole network of its provider, is on UCEPROTECT's list.",
    "Levels 2 and 3 list networks, not you: ask the provider. Nobody has to pay for removal; entries go after a week.",
    ["reputation"],
    "https://www.uceprotect.net/en/rblcheck.php",
  ],
  [
    "dnsbl",
    { says: /blocked using \S+|listed (?:in|at|on) \S*(?:bl|rbl|block)|\bRBL\b|\bDNSBL\b/i },
    "The sending address is on a block list that the receiver uses; the text names it.",
    "Look the address up there, end the cause, and ask for removal.",
    ["reputation", "reverse"],
    "RFC 3463 §3.8",
  ],
]);

const RECEIVER_RULES = ofSender([
  [
    "no-reverse-name",
    {
      says: /cannot find your (?:reverse )?hostname|reverse DNS (?:lookup|record|entry)|no (?:PTR|reverse DNS|rDNS)|does not have a PTR|missing PTR|PTR record/i,
    },
    "The sending address has no reverse name, or that name does not lead back to the address.",
    "Ask the owner of the address for a PTR, and give the name an A or AAAA record with the address.",
    ["reverse"],
    `${POSTFIX_UCE}#reject_unknown_client_hostname`,
  ],
  [
    "helo-name",
    {
      says: /Helo command rejected|invalid HELO|HELO.*(?:not resolve|not found)|need fully-qualified hostname/i,
    },
    "The name with which the server greets does not exist in DNS, or is no full name.",
    "Let the server greet with a name that has an address (in Postfix: myhostname), the same as its reverse name.",
    ["smtp-name-invalid", "smtp-name-no-address", "smtp-name-differs", "reverse", "address"],
    `${POSTFIX_UCE}#reject_unknown_helo_hostname`,
  ],
  [
    "sender-domain",
    {
      says: /Sender address rejected: (?:Domain not found|.*MX|Malformed DNS)|Domain of sender address \S+ does not (?:resolve|exist)|sender domain (?:must|does not) (?:exist|resolve)|cannot resolve (?:your|sender) domain/i,
    },
    "The domain of the envelope sender has neither MX nor address, or its name servers do not answer.",
    "Give the domain an MX, and look at its delegation.",
    ["zone", "dnssec", "mx"],
    `${POSTFIX_UCE}#reject_unknown_sender_domain`,
  ],
  [
    "spf-words",
    {
      says: /SPF (?:fail|check failed|validation failed|softfail)|openspf\.(?:org|net)\/Why|does not designate|not authorized to send .*SPF|sender policy framework|SPF: .*not permitted|SPF record/i,
    },
    "The address that sent the mail is not in the SPF record of the envelope sender's domain.",
    "Add the address to the SPF record; for forwarded mail, let the forwarder rewrite the envelope sender.",
    ["spf-address-not-covered", "spf"],
    "RFC 7208 §8.4",
  ],
  [
    "dmarc-words",
    { says: /DMARC/i },
    "The mail failed DMARC: neither SPF nor DKIM passed for the domain in From.",
    "Let the server that sent it sign with DKIM for the domain, or cover it by SPF with an envelope sender of the domain.",
    AUTHENTICATION,
    "RFC 9989 §7.4",
  ],
  [
    "dkim-words",
    { says: /DKIM (?:fail|signature|verification|check)|no valid DKIM/i },
    "The DKIM signature is missing, or does not verify.",
    "Compare the published key with that of the signer, and look for what changes mail behind the signer.",
    ["dkim"],
    "RFC 6376 §6.3",
  ],
]);

const CODES = ofSender([
  [
    "no-passing-signature",
    { code: /^[45]\.7\.20$/ },
    "The receiver wants a DKIM signature that passes, and found none.",
    "Let every outgoing mail be signed, and publish the key.",
    ["dkim"],
    "RFC 7372 §3.1",
  ],
  [
    "no-acceptable-signature",
    { code: /^[45]\.7\.21$/ },
    "A DKIM signature passed, but the receiver does not accept it: a short key, mostly, or one that covers too little.",
    "Sign with a key of 2048 bits, and sign the usual fields.",
    ["dkim-key-short", "dkim-key-too-short", "dkim"],
    "RFC 7372 §3.1",
  ],
  [
    "no-author-signature",
    { code: /^[45]\.7\.22$/ },
    "A DKIM signature passed, but none is of the domain in From.",
    "Sign with the domain of From.",
    ["dkim", "dmarc"],
    "RFC 7372 §3.1",
  ],
  [
    "spf-failed",
    { code: /^[45]\.7\.23$/ },
    "SPF said that the address may not send for the domain.",
    "Add the address to the SPF record.",
    ["spf-address-not-covered", "spf"],
    "RFC 7372 §3.2",
  ],
  [
    "spf-error",
    { code: /^[45]\.7\.24$/ },
    "The SPF record could not be evaluated: it is broken, or a lookup failed.",
    "Mend the record; after 5xx it is the record, after 4xx it may be a name server.",
    ["spf", "zone", "dnssec"],
    "RFC 7372 §3.2",
  ],
  [
    "reverse-failed",
    { code: /^[45]\.7\.25$/ },
    "The sending address has no reverse name, or that name does not lead back to the address.",
    "Ask the owner of the address for a PTR, and give the name an A or AAAA record with the address.",
    ["reverse"],
    "RFC 7372 §3.3",
  ],
  [
    "several-checks-failed",
    { code: /^[45]\.7\.26$/ },
    "More than one way to authenticate the mail was tried, and all failed.",
    "Let SPF and DKIM pass for the domain in From.",
    AUTHENTICATION,
    "RFC 7372 §3.4",
  ],
  [
    "sender-null-mx",
    { code: /^[45]\.7\.27$/ },
    "The sender's domain says by a null MX that it receives no mail, so the receiver takes none from it: no bounce could come back.",
    "Send with a domain that receives mail, or give this one an MX.",
    ["mx-null", "mx"],
    "RFC 7505 §4.1",
  ],
]);

const RECIPIENT = ofRecipient([
  [
    "recipient-null-mx",
    { code: /^5\.1\.10$/ },
    "The recipient's domain says by a null MX that it receives no mail.",
    "Check the address; if the domain is yours and should receive, replace the null MX.",
    ["mx-null", "mx-null-not-alone", "mx"],
    "RFC 7505 §4.1",
  ],
  [
    "null-mx-words",
    { says: /does not accept mail \(nullMX\)|null ?MX|Domain .* does not accept mail/i },
    "The recipient's domain says by a null MX that it receives no mail.",
    "Check the address; if the domain is yours and should receive, replace the null MX.",
    ["mx-null", "mx-null-not-alone", "mx"],
    "RFC 7505 §4.1",
  ],
  [
    "tlsa-failed",
    { says: /TLSA|\bDANE\b/i },
    "The recipient's TLSA records and the certificate of its server do not fit together, or the records could not be looked up.",
    "If the domain is yours: publish the TLSA of the key that the server has now. Senders try again for days.",
    ["dane", "certificate", "dnssec"],
    "RFC 7672 §2.2",
  ],
  [
    "sts-failed",
    { says: /MTA-STS|STS policy/i },
    "The recipient's MTA-STS policy asks for TLS with a valid certificate of a listed host, and the server had none.",
    "If the domain is yours: renew the certificate, and let the policy list every MX.",
    ["mta-sts", "certificate"],
    "RFC 8461 §5",
  ],
  [
    "certificate-refused",
    {
      says: /Server certificate not (?:trusted|verified)|certificate verif\w+ failed|certificate has expired/i,
    },
    "The sender asks for a certificate that it trusts (by MTA-STS, DANE or its own setting), and the server's is not.",
    "If the domain is yours: renew the certificate, with the chain and the name of the MX in it.",
    ["certificate", "dane", "mta-sts"],
    "RFC 8461 §4.2",
  ],
  [
    "tls-not-offered",
    { says: /TLS is required,? but (?:was|is) not|TLS session is required/i },
    "The sender asks for TLS, and the recipient's server offered none.",
    "If the domain is yours: let port 25 offer STARTTLS; a firewall may hide it.",
    ["smtp", "certificate", "mta-sts", "dane"],
    "RFC 8461 §5",
  ],
  [
    "connection-refused",
    { says: /Connection refused|Connection reset/i },
    "Nothing took the connection at port 25 of the recipient's server.",
    "If the domain is yours: let the server listen on port 25 of every address that its MX leads to. Where this happens with all receivers, your own provider blocks port 25.",
    ["smtp", "mx", "address"],
    "RFC 5321 §4.5.4.1",
  ],
  [
    "connection-timed-out",
    {
      says: /Connection timed out|Operation timed out|timed out while (?:receiving|sending)|No answer from host/i,
    },
    "The recipient's server did not answer on port 25.",
    "If the domain is yours: open port 25 in the firewall. Where this happens with all receivers, your own provider blocks outgoing port 25.",
    ["smtp", "address", "mx"],
    "RFC 5321 §4.5.4.1",
  ],
  [
    "no-route",
    { says: /No route to host|Network is unreachable|Host is unreachable/i },
    "There is no way from the sending server to the recipient's address; with IPv6, the sender mostly has none.",
    "If the domain is yours: look at its AAAA. If you are the sender: switch IPv6 off in the mail server, or mend the route.",
    ["address", "smtp", "mx"],
    "RFC 5321 §5.1",
  ],
  [
    "name-service-temporary",
    {
      says: /Host not found, try again|Name service error.*try again|host lookup did not complete|DNS (?:lookup|query) (?:failed|timed out)/i,
    },
    "The recipient's domain could not be looked up: its name servers do not answer, or its DNSSEC is broken.",
    "If the domain is yours: look at its name servers and at DNSSEC. Senders try again for days.",
    ["dnssec", "zone"],
    "RFC 2308 §7",
  ],
  [
    "name-not-found",
    {
      says: /Name service error for name=\S+ type=(?:MX|A|AAAA|A\S*): Host (?:found but no data|not found)|Unrouteable address|Domain (?:name )?not found|Host or domain name not found|all relevant MX records point to non-existent hosts/i,
    },
    "The recipient's domain, or the host that its MX names, does not exist in DNS.",
    "Check the address; if the domain is yours, look at its delegation and its MX.",
    ["zone", "mx"],
    "RFC 5321 §5.1",
  ],
  [
    "loop",
    { code: /^5\.4\.6$/ },
    "The mail runs in a circle: a server to which the MX leads does not know the domain as its own.",
    "If the domain is yours: tell the server that it is responsible for the domain, or mend the MX.",
    ["mx"],
    "RFC 3463 §3.5",
  ],
  [
    "loops-back",
    { says: /loops back to myself|too many hops/i },
    "The mail runs in a circle: a server to which the MX leads does not know the domain as its own.",
    "If the domain is yours: tell the server that it is responsible for the domain, or mend the MX.",
    ["mx"],
    "RFC 5321 §6.3",
  ],
  [
    "relay-denied",
    { says: /Relay(?:ing)? (?:access )?denied|relay not permitted|not permitted to relay|Unable to relay/i },
    "The server does not take mail for the recipient's domain: the MX leads to a wrong server, or the sender did not log in.",
    "If the domain is yours: let its MX lead to the server that has its mailboxes. If you are the sender: log in, on port 465 or 587.",
    ["mx"],
    "RFC 5321 §3.6.2",
  ],
]);

const GREYLISTING: BounceCause = {
  id: "greylisting",
  code: /^4\./,
  says: /grey-?list|gray-?list|postgrey/i,
  meaning: "The receiver puts off mail from senders that it does not know yet.",
  advice: "Wait: the server tries again, and is let in after some minutes.",
  checks: [],
  about: "sender",
  reference: "RFC 6647 §2",
  isHarmless: true,
};

/** What no record in DNS can mend. */
const NOT_DNS = ofRecipient([
  [
    "no-such-user",
    { code: /^5\.1\.1$/ },
    "There is no such mailbox.",
    "Check the part in front of the @.",
    [],
    "RFC 3463 §3.2",
  ],
  [
    "no-such-user-words",
    {
      says: /User unknown|No such user|mailbox (?:unavailable|not found)|does not exist|recipient (?:not found|rejected)/i,
    },
    "There is no such mailbox.",
    "Check the part in front of the @.",
    [],
    "RFC 5321 §4.2.3",
  ],
  [
    "mailbox-full",
    { code: /^[45]\.2\.2$/ },
    "The mailbox is full.",
    "Ask the recipient to make room.",
    [],
    "RFC 3463 §3.3",
  ],
  [
    "mailbox-disabled",
    { code: /^5\.2\.1$/ },
    "The mailbox is switched off.",
    "Ask the recipient by another way.",
    [],
    "RFC 3463 §3.3",
  ],
  [
    "too-large",
    { code: /^[45]\.(?:3\.4|2\.3)$/ },
    "The mail is larger than the receiver takes.",
    "Send less, or a link.",
    [],
    "RFC 3463 §3.4",
  ],
  [
    "receiver-full",
    { code: /^4\.3\.1$/ },
    "The receiver's server is out of room.",
    "Wait; the server tries again.",
    [],
    "RFC 3463 §3.4",
  ],
  [
    "expired",
    { code: /^[45]\.4\.7$/ },
    "The sender's server tried for days and gave up; why, its log says.",
    "Look for the earlier lines about this mail.",
    ["mx", "address", "smtp", "zone"],
    "RFC 3463 §3.5",
  ],
  [
    "login-needed",
    { code: /^5\.7\.(?:57|8)$/ },
    "The server wants a login, and got none or a wrong one.",
    "Look at user name, password and port in the mail program.",
    [],
    "RFC 5321 §4.2.3",
  ],
  [
    "content-refused",
    {
      says: /spam message rejected|message content rejected|considered spam|detected as spam|looks like spam|virus/i,
    },
    "A filter refused the content of the mail.",
    "Look at links and attachments; authentication and reverse DNS help the verdict.",
    ["spf", "dkim", "dmarc", "reverse", "reputation"],
    "RFC 3463 §3.8",
  ],
  [
    "acceptable-use",
    { says: /\bAUP#/i },
    "The receiver's rules of use forbid mail from this address; the code behind AUP# says which rule.",
    "Look the code up at the receiver, and ask its postmaster.",
    ["reputation", "reverse"],
    "RFC 3463 §3.8",
  ],
]);

export const BOUNCE_CAUSES: readonly BounceCause[] = [
  // An error taken for a listing comes in every provider's words.
  BLOCK_LISTS[0]!,
  ...GMAIL,
  ...YAHOO,
  ...MICROSOFT,
  ...MICROSOFT_RECIPIENT,
  ...APPLE,
  GREYLISTING,
  ...BLOCK_LISTS.slice(1),
  ...CODES,
  ...RECEIVER_RULES,
  ...RECIPIENT,
  ...NOT_DNS,
];
