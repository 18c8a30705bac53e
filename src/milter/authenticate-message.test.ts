/** A whole message with a real signature: authenticated, and judged as a proof does. */
import { generateKeyPairSync } from "node:crypto";
import { expect, it } from "vitest";
import { signMail } from "../../test/support/dkim-mail.ts";
import { mailText } from "../../test/support/mail-text.ts";
import { tableResolver, txt } from "../../test/support/table-resolver.ts";
import { formatDkimKey, recordForKey } from "../standards/dkim/key-record.ts";
import { dkimPublicKeyOf } from "../standards/dkim/public-key.ts";
import type { DkimSelector } from "../standards/dkim/selector.ts";
import { parseAddress } from "../standards/dns/address.ts";
import { domainName } from "../standards/dns/name.ts";
import { authenticateMessage } from "./authenticate-message.ts";
import type { ReceivedMail } from "./mail-exchange.ts";
import { proveMail } from "./proof.ts";
import { proofMessage } from "./proof-message.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const DOMAIN = domainName("example.org");
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

function keyRecord(): string {
  const key = dkimPublicKeyOf(privateKey);
  if (!key.ok) throw new Error(key.problem);
  return formatDkimKey(recordForKey(key.value));
}

const RESOLVER = tableResolver({
  "example.org": [txt("v=spf1 ip4:192.0.2.10 -all")],
  "_dmarc.example.org": [txt("v=DMARC1; p=reject")],
  "s1._domainkey.example.org": [txt(keyRecord())],
  "mail.example.org": [{ type: "A", address: "192.0.2.10" }],
  "10.2.0.192.in-addr.arpa": [{ type: "PTR", target: domainName("mail.example.org") }],
});

const SENT = {
  mailFrom: "postmaster@example.org",
  rcptTo: "prove-1@prove.invalid",
  message: proofMessage({
    from: "postmaster@example.org",
    to: "prove-1@prove.invalid",
    now: NOW,
    token: "1",
    idDomain: "example.org",
  }),
};

async function signed(): Promise<string> {
  const key = {
    signingDomain: DOMAIN,
    dkimSelector: "s1" as DkimSelector,
    keyType: "rsa",
    privateKey,
  } as const;
  const { fields, body } = await signMail(mailText(SENT.message), [key]);
  const header = fields.map(({ name, value }) => `${name}:${value}\r\n`).join("");
  return `${header}\r\n${body.toString("latin1")}`;
}

async function prove(message: string) {
  const address = parseAddress("192.0.2.10");
  if (!address.ok) throw new TypeError(address.problem);
  const mail: ReceivedMail = {
    client: {
      address: address.value,
      port: 40_000,
      helo: "mail.example.org",
      tls: { version: "TLSv1.3", cipher: "X" },
    },
    mailFrom: SENT.mailFrom,
    connectedAt: NOW,
    receivedAt: NOW,
    octets: Buffer.from(message, "latin1"),
  };
  const lines = await proveMail(
    {
      domain: DOMAIN,
      sent: SENT,
      mail,
      sinkOffersTls: true,
      clients: { status: "known", addresses: [address.value], why: "" },
      assumePublic: [],
    },
    { authenticate: authenticateMessage, resolver: RESOLVER, now: NOW },
  );
  return Object.fromEntries(lines.map(({ subject, result }) => [subject, result]));
}

it.each<[change: (message: string) => string, results: object, reason: string]>([
  [
    (text) => text,
    { ptr: "pass", spf: "pass", dkim: "pass", dmarc: "pass", body: "unchanged" },
    "as it was signed",
  ],
  [
    (text) => `${text}-- \r\nfooter\r\n`,
    { dkim: "fail", spf: "pass", dmarc: "pass", body: "changed" },
    "a footer",
  ],
  [(text) => text.replace("Zonepost <", "Z <"), { dkim: "fail", header: "changed" }, "a rewritten From"],
  [(text) => text.replace(/^[\s\S]*?(?=^From:)/m, ""), { dkim: "none", dmarc: "pass" }, "the signature lost"],
  [() => "", { dkim: "none", dmarc: "none", header: "broken" }, "nothing at all"],
])("%# → %j (%s)", async (change, results) => {
  expect(await prove(change(await signed()))).toMatchObject(results);
});
