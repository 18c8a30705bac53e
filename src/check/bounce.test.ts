import { describe, expect, it } from "vitest";
import { BARE, DOMAIN, HEALTHY } from "../../test/support/healthy-world.ts";
import { fc } from "../../test/support/random-inputs.ts";
import { edited, tableWorld } from "../../test/support/table-world.ts";
import { commandsFor, domainToCheck, findingsFor, readBounce } from "./bounce.ts";
import { BOUNCE_CAUSES } from "./bounce-causes.ts";
import { CATALOGUE, GROUPS } from "./catalogue.ts";
import { checkDomain } from "./check.ts";

const POSTFIX = (host: string, said: string) =>
  `Nov 21 12:00:00 mail postfix/smtp[123]: 4F3: to=<bob@example.net>, relay=${host}[198.51.100.1]:25, delay=1, dsn=5.7.1, status=bounced (host ${host}[198.51.100.1] said: ${said} (in reply to end of DATA command))`;
const GMAIL_HOST = "gmail-smtp-in.l.google.com";
const gmail = (said: string) => POSTFIX(GMAIL_HOST, `${said} abc.1 - gsmtp`);
const yahoo = (said: string) => POSTFIX("mta5.am0.yahoodns.net", said);
const outlook = (said: string) => POSTFIX("outlook-com.olc.protection.outlook.com", said);
const apple = (said: string) => POSTFIX("mx01.mail.icloud.com", said);
const receiver = (said: string) => POSTFIX("mx.example.net", said);
const deferred = (why: string) =>
  `postfix/smtp[1]: 4F3: to=<bob@example.net>, relay=none, delay=30, dsn=4.4.1, status=deferred (${why})`;

/** One text for each cause: what the servers really say, with the names of examples. */
const SAMPLES: readonly (readonly [id: string, text: string])[] = [
  [
    "dnsbl-asked-wrongly",
    receiver(
      "554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org; Error: open resolver; https://www.spamhaus.org/returnc/pub/192.0.2.53",
    ),
  ],
  ["dnsbl-asked-wrongly", receiver("550 5.7.1 192.0.2.25 listed by zen.spamhaus.org (127.255.255.254)")],
  [
    "gmail-dmarc-policy",
    gmail(
      "550-5.7.26 Unauthenticated email from example.org is not accepted due to domain's DMARC policy. Please contact the administrator of example.org domain.",
    ),
  ],
  [
    "gmail-unauthenticated",
    gmail(
      "550-5.7.26 Your email has been blocked because the sender is unauthenticated. 550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM. 550-5.7.26  DKIM = did not pass 550-5.7.26  SPF [example.org] with ip: [192.0.2.25] = did not pass",
    ),
  ],
  [
    "gmail-reverse",
    gmail("550-5.7.25 [192.0.2.25] The IP address sending this message does not have a PTR record setup"),
  ],
  ["gmail-reverse", gmail("421-4.7.23 [192.0.2.25] The sending IP does not have a PTR record")],
  [
    "gmail-reverse-ipv6",
    gmail(
      "550-5.7.1 [2001:db8::25] Our system has detected that this message does 550-5.7.1 not meet IPv6 sending guidelines regarding PTR records and authentication.",
    ),
  ],
  ["gmail-spf", gmail("550-5.7.27 Your email has been blocked because SPF did not pass for example.org")],
  [
    "gmail-rate",
    gmail("421-4.7.28 Gmail has detected an unusual rate of mail originating from your IP address"),
  ],
  [
    "gmail-rate-words",
    gmail("421-4.7.0 [192.0.2.25] Our system has detected an unusual rate of unsolicited mail"),
  ],
  [
    "gmail-tls",
    gmail("550-5.7.29 Your email has been rate limited because it was not sent over a TLS connection"),
  ],
  ["gmail-dkim", gmail("550-5.7.30 DKIM authentication didn't pass")],
  ["gmail-alignment", gmail("421-4.7.32 the From: header isn't aligned with the authenticated domain")],
  ["gmail-dmarc-missing", gmail("550-5.7.40 the sending domain has no DMARC record")],
  [
    "gmail-low-reputation",
    gmail("550-5.7.1 this message is likely suspicious due to the very low reputation of the sending domain"),
  ],
  [
    "gmail-format",
    gmail(
      "550-5.7.1 [192.0.2.25] Messages missing a valid address in From: header are not accepted; not RFC 5322 compliant",
    ),
  ],
  [
    "gmail-recipient-rate",
    gmail("450-4.2.1 The user you are trying to contact is receiving mail too quickly."),
  ],
  ["gmail-temporary", gmail("421-4.3.0 Temporary System Problem. Try again later")],
  [
    "yahoo-complaints",
    yahoo(
      "421 4.7.0 [TSS04] Messages from 192.0.2.25 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1",
    ),
  ],
  [
    "yahoo-deferred-for-good",
    yahoo(
      "553 5.7.1 [TSS09] All messages from 192.0.2.25 will be permanently deferred; Retrying will NOT succeed.",
    ),
  ],
  [
    "yahoo-block-list",
    yahoo(
      "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.25, because the ip is in Spamhaus's list",
    ),
  ],
  [
    "yahoo-policy",
    yahoo(
      "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes",
    ),
  ],
  [
    "microsoft-authentication-level",
    outlook(
      "550 5.7.515 Access denied, sending domain example.org does not meet the required authentication level. Spf=Pass, Dkim=Fail, DMARC=Pass",
    ),
  ],
  [
    "microsoft-dmarc",
    "Remote server returned '550 5.7.509 Access denied, sending domain example.org does not pass DMARC verification and has a DMARC policy of reject.'",
  ],
  [
    "microsoft-spf",
    outlook("550 5.7.23 The message was rejected because of Sender Policy Framework violation"),
  ],
  [
    "microsoft-ipv6-authentication",
    outlook(
      "451 4.7.26 Access denied, a message sent over IPv6 [2001:db8::25] must pass either SPF or DKIM validation, this message is not signed.",
    ),
  ],
  [
    "microsoft-banned-sender",
    outlook(
      "550 5.7.511 Access denied, banned sender[192.0.2.25]. To request removal from this list please forward this message",
    ),
  ],
  [
    "microsoft-banned-address",
    outlook(
      "550 5.7.606 Access denied, banned sending IP [192.0.2.25]. To request removal from this list please visit https://sender.office.com/",
    ),
  ],
  ["microsoft-throttled", outlook("451 4.7.500 Server busy. Please try again later from [192.0.2.25].")],
  [
    "microsoft-new-tenant",
    outlook("550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP."),
  ],
  [
    "microsoft-network-block",
    outlook(
      "550 5.7.1 Unfortunately, messages from [192.0.2.25] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
    ),
  ],
  ["microsoft-no-recipient", outlook("550 5.4.1 Recipient address rejected: Access denied.")],
  [
    "apple-dmarc",
    apple(
      "550 5.7.1 Your message was rejected due to example.org's DMARC policy. See https://support.apple.com/en-us/HT204137",
    ),
  ],
  [
    "apple-local-policy",
    apple(
      "550 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
    ),
  ],
  ["apple-local-policy", apple("554 5.7.1 [HM08] Message rejected due to local policy.")],
  ["apple-volume", apple("421 4.7.1 Messages to bob@icloud.com deferred due to excessive volume.")],
  [
    "greylisting",
    receiver(
      "451 4.7.1 <bob@example.net>: Recipient address rejected: Greylisted, see http://postgrey.example",
    ),
  ],
  ["dnsbl-spamhaus-domain", receiver("550 5.7.1 domain example.org listed in dbl.spamhaus.org")],
  [
    "dnsbl-spamhaus-policy",
    receiver("554 5.7.1 Client host [192.0.2.25] blocked; https://www.spamhaus.org/query/pbl?ip=192.0.2.25"),
  ],
  [
    "dnsbl-spamhaus",
    receiver(
      "554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org; https://www.spamhaus.org/sbl/query/SBLCSS",
    ),
  ],
  ["dnsbl-spamcop", receiver("554 5.7.1 Client host [192.0.2.25] blocked using bl.spamcop.net")],
  ["dnsbl-barracuda", receiver("554 5.7.1 Client host [192.0.2.25] blocked using b.barracudacentral.org")],
  ["dnsbl-uceprotect", receiver("550 5.7.1 IP 192.0.2.25 is UCEPROTECT-Level 3 listed")],
  ["dnsbl", receiver("554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using bl.example.net")],
  ["recipient-null-mx", "<bob@example.net>: 556 5.1.10 Recipient address has null MX"],
  ["null-mx-words", "<bob@example.net>: Domain example.net does not accept mail (nullMX)"],
  ["tlsa-failed", deferred("TLSA lookup error for mx.example.net:25")],
  ["sts-failed", deferred("mx.example.net does not match the MTA-STS policy")],
  ["certificate-refused", deferred("Server certificate not trusted")],
  ["tls-not-offered", deferred("TLS is required, but was not offered by host mx.example.net[198.51.100.1]")],
  ["connection-refused", deferred("connect to mx.example.net[198.51.100.1]:25: Connection refused")],
  ["connection-timed-out", deferred("connect to mx.example.net[198.51.100.1]:25: Connection timed out")],
  ["no-route", deferred("connect to mx.example.net[2001:db8::1]:25: No route to host")],
  [
    "name-service-temporary",
    deferred(
      "Host or domain name not found. Name service error for name=example.net type=MX: Host not found, try again",
    ),
  ],
  [
    "name-not-found",
    "to=<bob@example.net>, status=bounced (Host or domain name not found. Name service error for name=mx.example.net type=A: Host not found)",
  ],
  ["loop", "<bob@example.net>: 550 5.4.6 Hop count exceeded"],
  ["loops-back", "to=<bob@example.net>, status=bounced (mail for example.net loops back to myself)"],
  ["relay-denied", receiver("554 5.7.1 <bob@example.net>: Relay access denied")],
  ["no-passing-signature", receiver("550 5.7.20 No passing signature found")],
  ["no-acceptable-signature", receiver("550 5.7.21 No acceptable signature found")],
  ["no-author-signature", receiver("550 5.7.22 No valid author-matched signature found")],
  ["spf-failed", receiver("550 5.7.23 validation failed")],
  ["spf-error", receiver("451 4.7.24 validation error")],
  ["reverse-failed", receiver("550 5.7.25 validation failed")],
  ["several-checks-failed", receiver("550 5.7.26 Multiple authentication checks failed")],
  ["sender-null-mx", receiver("550 5.7.27 Sender address has null return path")],
  [
    "no-reverse-name",
    receiver("450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.25]").replace(
      "4.7.25",
      "4.7.1",
    ),
  ],
  ["helo-name", receiver("450 4.7.1 <mail.local>: Helo command rejected: Host not found")],
  ["sender-domain", receiver("450 4.1.8 <alice@example.org>: Sender address rejected: Domain not found")],
  [
    "spf-words",
    receiver(
      "550 5.7.1 Message rejected due to: SPF fail - not authorized. Please see http://www.openspf.net/Why?s=mfrom;id=alice@example.org;ip=192.0.2.25",
    ),
  ],
  ["dmarc-words", receiver("550 5.7.1 rejected by DMARC policy for example.org")],
  ["dkim-words", receiver("550 5.7.1 DKIM signature did not verify")],
  [
    "no-such-user",
    receiver(
      "550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown in virtual mailbox table",
    ),
  ],
  ["no-such-user-words", receiver("550 No such user here")],
  ["mailbox-full", receiver("552 5.2.2 Over quota")],
  ["mailbox-disabled", receiver("550 5.2.1 The mailbox is disabled")],
  ["too-large", receiver("552 5.3.4 Message size exceeds fixed limit")],
  ["receiver-full", receiver("452 4.3.1 Insufficient system storage")],
  ["expired", "Status: 5.4.7\nDiagnostic-Code: smtp; 550 5.4.7 Delivery expired"],
  ["login-needed", receiver("530 5.7.57 Client was not authenticated to send mail")],
  ["content-refused", receiver("554 5.7.1 Spam message rejected")],
  ["acceptable-use", receiver("554 192.0.2.25 rejected per policy AUP#In-1310")],
];

describe("readBounce", () => {
  it.each(SAMPLES)("%s: %s", (id, text) => {
    expect(readBounce(text)?.cause?.id).toBe(id);
  });

  it("has a sample for every cause, each cause once, and 45 at least", () => {
    const ids = BOUNCE_CAUSES.map((cause) => cause.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !SAMPLES.some(([sample]) => sample === id))).toEqual([]);
    expect(ids.length).toBeGreaterThanOrEqual(45);
  });

  it("names nothing but codes and groups that there are, and references of the right form", () => {
    const known = new Set([...Object.keys(CATALOGUE), ...Object.keys(GROUPS)]);
    for (const { checks, reference, meaning, advice } of BOUNCE_CAUSES) {
      expect(checks.filter((check) => !known.has(check))).toEqual([]);
      expect(reference).toMatch(/^(?:RFC \d+ §[\d.]+|https:\/\/\S+)$/);
      expect(`${meaning} ${advice}`).toMatch(/^[A-Z].*\.$/);
    }
  });

  it.each<[string, string, object]>([
    [
      "a delivery status notification (RFC 3464)",
      `The mail system

<bob@example.net>: host mx.example.net[198.51.100.1] said:
    550-5.7.1 first line
    550 5.7.1 second line (in reply to RCPT TO command)

Reporting-MTA: dns; mail.example.org
X-Postfix-Sender: rfc822; alice@example.org

Final-Recipient: rfc822; bob@example.net
Action: failed
Status: 5.7.1
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 550-5.7.1 first line
    550 5.7.1 second line
`,
      {
        replyCode: 550,
        enhancedCode: "5.7.1",
        lasts: "permanent",
        host: "mx.example.net",
        senderDomain: "example.org",
        recipientDomain: "example.net",
        words: "550 5.7.1 first line second line",
        cause: undefined,
        reference: "RFC 3463 §3",
      },
    ],
    [
      "Exim's log of a refusal",
      "2026-11-21 12:00:00 1abc-0000-00 ** bob@example.net F=<alice@example.org> R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.1]: SMTP error from remote mail server after RCPT TO:<bob@example.net>: 550 Administrative prohibition",
      {
        replyCode: 550,
        enhancedCode: undefined,
        lasts: "permanent",
        host: "mx.example.net",
        senderDomain: "example.org",
        recipientDomain: "example.net",
        reference: "RFC 5321 §4.2.1",
      },
    ],
    [
      "Exim's log of a delay",
      "2026-11-21 12:00:00 1abc-0000-00 == bob@example.net R=dnslookup T=remote_smtp defer (110): Connection timed out",
      { lasts: "temporary", recipientDomain: "example.net", cause: { id: "connection-timed-out" } },
    ],
    [
      "Gmail's words, folded by the sender's server",
      "host gmail-smtp-in.l.google.com[198.51.100.1] said: 550-5.7.26 Your email has been blocked because the sender is unauthenticated. 550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM. 550-5.7.26 550-5.7.26 Authentication results: 550-5.7.26 DKIM = did not pass 550-5.7.26 SPF [example.org] with ip: [192.0.2.25] = did not pass 550 5.7.26 abc - gsmtp",
      {
        replyCode: 550,
        enhancedCode: "5.7.26",
        provider: "google",
        senderDomain: "example.org",
        address: { text: "192.0.2.25" },
      },
    ],
  ])("reads %s", (_, text, expected) => {
    expect(readBounce(text)).toMatchObject(expected);
  });

  it.each(["", "Hello Bob, see you at 5.30.", "Nov 21 mail postfix: status=sent (250 2.0.0 Ok: queued)"])(
    "takes %j for no refusal",
    (text) => {
      expect(readBounce(text)).toBeUndefined();
    },
  );

  it.each([
    ["gmail-reverse", "sender", "example.org"],
    ["connection-refused", "recipient", "example.net"],
  ])("%s is about the domain of the %s", (id, about, domain) => {
    const text = SAMPLES.find(([sample]) => sample === id)![1].replace(
      "4F3:",
      "4F3: from=<alice@example.org>,",
    );
    const bounce = readBounce(text)!;
    expect(bounce.cause?.about).toBe(about);
    expect(domainToCheck(bounce)).toBe(domain);
  });

  it.each([
    ["gmail-spf", ["zonepost spf test example.org --ip 192.0.2.25"]],
    ["gmail-reverse", ["dig -x 192.0.2.25"]],
    ["connection-refused", []],
  ])("%s: what shows more of the address", (id, expected) => {
    const cause = BOUNCE_CAUSES.find((each) => each.id === id)!;
    const bounce = { ...readBounce("550 5.7.1 [192.0.2.25] refused")!, cause };
    expect(commandsFor(bounce, DOMAIN)).toEqual(expected);
  });

  it("takes any text without a throw, and in time", () => {
    const word = fc.constantFrom(
      "550",
      "-",
      " ",
      "5.7.1",
      "said:",
      "host ",
      "[192.0.2.1]",
      "Status: ",
      "\n",
      "Diagnostic-Code: smtp; ",
      "<a@b.example>",
      "status=deferred (",
      "from=<",
      "id=",
      "::",
      "DMARC",
      "domain of ",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(word, { maxLength: 50 }).map((words) => words.join("")),
        ),
        (text) => {
          const bounce = readBounce(text);
          expect(bounce === undefined || bounce.meaning.length > 0).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each([
    ...["550-5.7.1 ", "a", "1:", "host x[", "<a@", "\n ", "\n", " ", "Diagnostic-Code: ", "0.", "Status: 5"],
    ...["H=", "H=x [", "relay=", "connect to x", "said:", "said: ", "status=bounced (", "host a", "dsn=5."],
    ...[
      "?id=",
      "&id=a@",
      "From: @a.",
      "From: a@",
      "F=<",
      "from=<a",
      " == ",
      " ** a",
      "from domain ",
      "Action: ",
    ],
    "SMTP error from remote mail server after x: host a [",
  ])("200,000 characters of %j take no time that grows with their square", (piece) => {
    const from = performance.now();
    const many = piece.repeat(200_000 / piece.length);
    for (const text of [`550 5.7.1 ${many}`, `said:${" ".repeat(190_000)}${many}`, `H=${many} x`])
      readBounce(text);
    expect(performance.now() - from).toBeLessThan(4_500);
  });
});

it.each(["said:\n", "said: ) ", "said:", "status=bounced ("])(
  "%j some thousand times, and no end of it, holds nobody up",
  (piece) => {
    const text = `550 5.7.1 x\n${piece.repeat(65_536 / piece.length)}`;
    const from = performance.now();
    for (let times = 0; times < 40; times++) readBounce(text);
    expect(performance.now() - from).toBeLessThan(2_000);
  },
);

it("a refusal is found behind words that only begin like one", () => {
  const words = `${"status=bounced (x\n".repeat(5)}status=bounced (host x said something: 550 5.7.1 no)`;
  expect(readBounce(words)!.words).toBe("host x said something: 550 5.7.1 no");
});

describe("findingsFor", () => {
  it.each<[string, string, readonly string[], readonly string[], string]>([
    ["gmail-reverse", "25.2.0.192.in-addr.arpa PTR", [], [], "ptr-missing"],
    ["gmail-dmarc-missing", "_dmarc.example.org TXT", [], [], "dmarc-missing"],
    [
      "gmail-spf",
      "example.org TXT",
      ['example.org. TXT "v=spf1 ip4:198.51.100.9 -all"'],
      [],
      "spf-address-not-covered",
    ],
  ])("%s is borne out where %s is not there: %s", async (id, without, add, _, expected) => {
    const cause = BOUNCE_CAUSES.find((each) => each.id === id)!;
    const broken = tableWorld({ zone: edited(HEALTHY, { without: [without], add }) });
    const found = findingsFor(cause, await checkDomain(DOMAIN, broken, BARE));
    expect(found.map(({ code }) => code)).toContain(expected);
    const healthy = findingsFor(cause, await checkDomain(DOMAIN, tableWorld({ zone: HEALTHY }), BARE));
    expect(healthy).toEqual([]);
  });
});
