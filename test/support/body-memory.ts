/** A process of its own: 100 MB pass through authentication, and how much memory that took. Run with --expose-gc. */
import { MailAuthenticator } from "../../src/milter/authenticate.ts";
import { BodyHasher } from "../../src/standards/dkim/body-hash.ts";
import { DkimKeyRing } from "../../src/standards/dkim/key-lookup.ts";
import { indexFields } from "../../src/standards/dkim/signed-fields.ts";
import { addressFromOctets } from "../../src/standards/dns/address.ts";
import { signMail } from "./dkim-mail.ts";
import { PEER_KEYS } from "./dkim-peers.ts";
import { mailText } from "./mail-text.ts";
import { tableResolver, txt } from "./table-resolver.ts";

const CHUNK_OCTETS = 65_536;
const CHUNKS = 1_600;
const { ed } = PEER_KEYS;
const MIB = 1_048_576;

const mail = mailText("From: alice@example.org\n\nHello\n");
const simple = await signMail(mail, [ed], { bodyCanonicalization: "simple" });
const relaxed = await signMail(mail, [ed], { bodyCanonicalization: "relaxed" });
const fields = [simple.fields[0]!, ...relaxed.fields];
const hasher = new BodyHasher();
const authenticator = new MailAuthenticator(
  indexFields(fields),
  hasher,
  {
    clientIp: addressFromOctets(Uint8Array.of(192, 0, 2, 10)),
    helo: "client.example.org",
    mailFrom: "alice@example.org",
  },
  { resolver: tableResolver({ [ed.owner]: [txt(ed.recordText)] }), keys: new DkimKeyRing(), now: new Date() },
);

const text = "words  and blanks \t\r\n\r\n=20=3D and a longer line without any blanks: ";
const octets = Buffer.alloc(CHUNK_OCTETS, text);
const feed = () => hasher.update(octets);
for (let warmUp = 0; warmUp < 50; warmUp++) feed();
globalThis.gc?.();
const before = process.memoryUsage.rss();
const start = process.cpuUsage();
let highest = before;
for (let chunk = 0; chunk < CHUNKS; chunk++) {
  feed();
  if (chunk % 50 === 0) highest = Math.max(highest, process.memoryUsage.rss());
}
hasher.finish();
const { dkim } = await authenticator.finish();
const { user, system } = process.cpuUsage(start);
highest = Math.max(highest, process.memoryUsage.rss());
const results = dkim.map(({ result }) => result);
process.stdout.write(
  JSON.stringify({ growthMib: (highest - before) / MIB, milliseconds: (user + system) / 1_000, results }),
);
