/**
 * What we sign, OpenDKIM, dkimpy and rspamd verify, and we what they sign, over messages of the most awkward shapes.
 * Other shapes: AWKWARD_SEED in the environment.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Canonicalization } from "../../src/standards/dkim/canonical.ts";
import type { SigningKey } from "../../src/standards/dkim/sign.ts";
import { type AwkwardMail, awkwardMail, wireOctets } from "../support/awkward-mail.ts";
import { chance, pick } from "../support/chance.ts";
import { signMail, verifyMail } from "../support/dkim-mail.ts";
import {
  CANONICAL_PAIRS,
  type CanonicalPair,
  type DkimPeer,
  PEER_KEYS,
  type PeerKey,
  readMail,
} from "../support/dkim-peers.ts";
import { startDkimpy } from "../support/dkimpy.ts";
import type { MailText } from "../support/mail-text.ts";
import { startOpendkim } from "../support/opendkim.ts";
import { describeWithServers } from "../support/real-server.ts";
import { startRspamd } from "../support/rspamd.ts";
import { tableResolver, txt } from "../support/table-resolver.ts";

const USUAL_SEED = 20_261_121;
const SEED = Number(process.env["AWKWARD_SEED"] ?? USUAL_SEED);
const MESSAGES = 600;
/** Signing with RSA in Python takes its time. */
const TIMEOUT = { timeout: 120_000 };

const { r1024, r2048, r4096, ed } = PEER_KEYS;
const KEY_SETS: readonly (readonly PeerKey[])[] = [
  [r1024],
  [r2048],
  [ed],
  [r1024],
  [r4096],
  [ed],
  [r2048],
  [ed],
  [ed, r2048],
  [r1024],
  [r1024, ed, r2048],
  [ed],
];

interface Case {
  readonly mail: AwkwardMail;
  readonly pair: CanonicalPair;
  readonly keys: readonly PeerKey[];
  readonly chunkOctets: number;
}

const CASES: readonly Case[] = Array.from({ length: MESSAGES }, (_, number) => ({
  mail: awkwardMail(SEED, number),
  pair: CANONICAL_PAIRS[number % CANONICAL_PAIRS.length]!,
  keys: KEY_SETS[number % KEY_SETS.length]!,
  chunkOctets: pick(chance(SEED + number), [1, 2, 3, 7, 64, 1_000, 65_536]),
}));

/** Where a peer goes another way. Rows in which it no longer does are to be taken out. */
interface Exception {
  readonly because: string;
  readonly applies: (mail: MailText, pair: CanonicalPair) => boolean;
}

const text = (body: Buffer): string => body.toString("latin1");
const hasBlankBeforeColon = ({ fields }: MailText): boolean => fields.some(({ name }) => /[ \t]$/.test(name));
const hasLoneLineFeed = ({ body }: MailText): boolean => /(?<!\r)\n/.test(text(body));
const hasLoneReturn = ({ body }: MailText): boolean => /\r(?!\n)/.test(text(body));
const endsInBlank = ({ body }: MailText): boolean => /[ \t]$/.test(text(body));
const isRelaxed = (pair: CanonicalPair): boolean => pair.endsWith("/relaxed");

const DKIMPY: readonly Exception[] = [
  {
    because: "refuses blanks in front of the colon, which RFC 5322 §4.5 wants to be read",
    applies: hasBlankBeforeColon,
  },
  {
    because: "takes every LF for a line end; RFC 6376 §3.4 knows CRLF alone",
    applies: hasLoneLineFeed,
  },
  {
    because:
      "keeps the blanks of a last line that has no CRLF; RFC 6376 §3.4.4 ignores them at the end of any line",
    applies: (mail, pair) => isRelaxed(pair) && endsInBlank(mail),
  },
];

const OPENDKIM: readonly Exception[] = [
  {
    because: "hands in mail with blanks in front of a colon unsigned and unverified",
    applies: hasBlankBeforeColon,
  },
  {
    because: "reads a CR alone in its own ways; RFC 6376 §3.4 knows CRLF alone",
    applies: hasLoneReturn,
  },
  {
    because: "reads an LF alone in its own ways; RFC 6376 §3.4 knows CRLF alone",
    applies: hasLoneLineFeed,
  },
  {
    because: "relies on bodies that end with CRLF, as all do that SMTP brings (RFC 5321 §4.1.1.4)",
    applies: ({ body }) => body.length > 0 && !text(body).endsWith("\r\n"),
  },
];

function cutsBlanks(line: string): boolean {
  const shortened = line.replaceAll("\t", " ").replace(/ {2,}| $/g, "\t");
  for (let at = 1_022; at < shortened.length; at += 1_023) if (shortened[at] === "\t") return true;
  return false;
}

/** These, and not all that RFC 5322 §3.6 allows once. */
const RSPAMD_SINGLE = ["from", "to", "cc", "subject", "reply-to", "message-id"];

const RSPAMD: readonly Exception[] = [
  {
    because: "does not find fields with blanks in front of the colon, which RFC 5322 §4.5 wants to be read",
    applies: hasBlankBeforeColon,
  },
  {
    because: "reads a CR alone as a line end; RFC 6376 §3.4 knows CRLF alone",
    applies: hasLoneReturn,
  },
  {
    because: "reads an LF alone as a line end; RFC 6376 §3.4 knows CRLF alone",
    applies: hasLoneLineFeed,
  },
  {
    because:
      "keeps the blanks of a last line that has no CRLF; RFC 6376 §3.4.4 ignores them at the end of any line",
    applies: (mail, pair) => isRelaxed(pair) && endsInBlank(mail),
  },
  {
    because: "leaves a line end of a body of blanks and empty lines; RFC 6376 §3.4.4 leaves nothing of it",
    applies: ({ body }, pair) => isRelaxed(pair) && /^[ \t]+\r\n(?:[ \t]*\r\n)*$/.test(text(body)),
  },
  {
    because:
      "forgets after each 1,023 octets of a line that a blank came before; to RFC 6376 §3.4.4 it is one run",
    applies: ({ body }, pair) => isRelaxed(pair) && text(body).split("\r\n").some(cutsBlanks),
  },
  {
    because: "makes signatures fail on purpose where a field that may stand once stands twice",
    applies: ({ fields }) =>
      RSPAMD_SINGLE.some((single) => fields.filter(({ key }) => key === single).length > 1),
  },
];

/** `pairOf`: what the peer signs with, where it cannot be told for each message. */
const PEERS: readonly {
  readonly name: string;
  readonly programs: readonly string[];
  readonly start: () => Promise<DkimPeer>;
  readonly exceptions: readonly Exception[];
  readonly pairOf?: CanonicalPair;
}[] = [
  { name: "dkimpy", programs: ["dkimpy-milter"], start: startDkimpy, exceptions: DKIMPY },
  { name: "OpenDKIM", programs: ["opendkim"], start: startOpendkim, exceptions: OPENDKIM },
  {
    name: "rspamd",
    programs: ["rspamd"],
    start: startRspamd,
    exceptions: RSPAMD,
    pairOf: "relaxed/relaxed",
  },
];

const resolver = tableResolver(
  Object.fromEntries(Object.values(PEER_KEYS).map(({ owner, recordText }) => [owner, [txt(recordText)]])),
);
const now = new Date();

async function signed({ mail, pair, keys, chunkOctets }: Case): Promise<MailText> {
  const [headerCanonicalization, bodyCanonicalization] = pair.split("/") as [
    Canonicalization,
    Canonicalization,
  ];
  const options = { headerCanonicalization, bodyCanonicalization, now, chunkOctets };
  return await signMail(mail, keys satisfies readonly SigningKey[], options);
}

/** With the message's number and what is wrong, so that it can be had again. */
const complaint = ({ mail, pair }: Case, words: string) =>
  `awkwardMail(${mail.seed}, ${mail.number}) ${pair}: ${words}`;

/** Where exactly one octet of the body, or of a signed field, is another. */
const spoilt = ({ fields, body }: MailText, number: number): MailText =>
  number % 2 === 0 && body.length > 0
    ? { fields, body: Buffer.concat([Buffer.from("~"), body]) }
    : {
        fields: fields.map((field) =>
          field.key === "from" ? { ...field, value: ` x${field.value}` } : field,
        ),
        body,
      };

for (const { name, programs, start, exceptions, pairOf } of PEERS) {
  describeWithServers([...programs, "python3"], name, () => {
    let peer: DkimPeer;
    beforeAll(async () => {
      peer = await start();
    });
    afterAll(async () => {
      await peer?.stop();
    });

    /** Rows without a disagreement, in either direction. */
    const unneeded = new Set(exceptions);
    function judge(complaints: readonly { readonly about: Case; readonly words: string }[]): string[] {
      return complaints.flatMap(({ about, words }) => {
        const rows = exceptions.filter(({ applies }) => applies(about.mail, about.pair));
        if (rows.length === 1) unneeded.delete(rows[0]!);
        return rows.length > 0 ? [] : [complaint(about, words)];
      });
    }

    it("verifies what we sign", TIMEOUT, async () => {
      const verdicts = await peer.verify(await Promise.all(CASES.map(signed)));
      const complaints = CASES.flatMap((about, at) =>
        about.keys.flatMap(({ dkimSelector }) => {
          const verdict = verdicts[at]!.get(dkimSelector);
          return verdict === "pass"
            ? []
            : [{ about, words: `${dkimSelector} ${verdict ?? "not looked at"}` }];
        }),
      );
      expect(judge(complaints)).toEqual([]);
    });

    it("signs what we verify", TIMEOUT, async () => {
      const cases = CASES.map((about) => ({ ...about, pair: pairOf ?? about.pair }));
      const made = await peer.sign(cases);
      const complaints: { about: Case; words: string }[] = [];
      for (const [at, about] of cases.entries()) {
        const top = made[at]!;
        const { fields, body } = about.mail;
        const read = readMail(wireOctets({ fields: [...top, ...fields], body }), about.chunkOctets);
        const results = await verifyMail(read, resolver, { now, chunkOctets: about.chunkOctets });
        if (top.length === 0) complaints.push({ about, words: "not signed" });
        for (const { result, cause, signature } of results.slice(0, top.length))
          if (result !== "pass")
            complaints.push({ about, words: `${signature?.dkimSelector} ${result} ${cause}` });
        const changed = await verifyMail(spoilt(read, at), resolver, { now });
        if (changed.some(({ result }) => result === "pass"))
          complaints.push({ about, words: "passes although it was changed" });
      }
      expect(judge(complaints)).toEqual([]);
    });

    it("fails what was changed after we signed it", TIMEOUT, async () => {
      const some = CASES.slice(0, 60);
      const mails = await Promise.all(some.map(signed));
      const verdicts = await peer.verify(mails.map(spoilt));
      const passed = some.filter((_, at) => [...verdicts[at]!.values()].includes("pass"));
      expect(passed.map((about) => complaint(about, "passes although it was changed"))).toEqual([]);
    });

    it.runIf(SEED === USUAL_SEED)("has no exception that is not needed", () => {
      expect([...unneeded].map(({ because }) => because)).toEqual([]);
    });
  });
}
