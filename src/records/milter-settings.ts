/** How the milter treats mail, as the description says it. */
import { z } from "zod";
import { parseNetwork } from "../standards/dns/address.ts";
import { parseDomainName } from "../standards/dns/name.ts";
import type { Parsed } from "../standards/dns/parsed.ts";

const read = <T>(parse: (text: string) => Parsed<T>, description: string) =>
  z
    .string()
    .transform((text, context) => {
      const parsed = parse(text.trim());
      if (parsed.ok) return parsed.value;
      context.issues.push({ code: "custom", message: `"${text}": ${parsed.problem}`, input: text });
      return z.NEVER;
    })
    .describe(description);

const domain = (description: string) => read(parseDomainName, description);

/** "example.org", "*.example.org" or "*". */
function parsePattern(text: string): Parsed<string> {
  if (text === "*") return { ok: true, value: text };
  const isWild = text.startsWith("*.");
  const name = parseDomainName(isWild ? text.slice(2) : text);
  return name.ok ? { ok: true, value: isWild ? `*.${name.value}` : name.value } : name;
}

const action = (description: string) =>
  z.enum(["tag", "quarantine", "reject"]).default("tag").describe(description);

const canonicalization = z.enum(["simple", "relaxed"]).default("relaxed");

/** Clients on the host itself. */
const LOOPBACK = ["127.0.0.0/8", "::1/128"];

export const milterSettings = z
  .strictObject({
    authservId: z
      .string()
      .min(1)
      .optional()
      .describe("The name in Authentication-Results; that of the server where nothing is said."),
    trustedIds: z
      .array(z.string().min(1))
      .default([])
      .describe("Further names whose Authentication-Results readers trust: incoming ones are removed."),
    outgoing: z
      .strictObject({
        authenticated: z.boolean().default(true).describe("Clients that have logged in."),
        networks: z.array(read(parseNetwork, "A network in CIDR form.")).prefault(LOOPBACK),
        daemons: z
          .array(z.string().min(1))
          .default(["ORIGINATING"])
          .describe("Listeners by name: milter_macro_daemon_name in Postfix."),
      })
      .prefault({})
      .describe("What is outgoing mail, to be signed. All other mail is incoming, to be authenticated."),
    signing: z
      .strictObject({
        header: canonicalization.describe("How header fields may change on the way."),
        body: canonicalization.describe("How the body may change on the way."),
        expiresAfterDays: z
          .int()
          .min(1)
          .max(3650)
          .optional()
          .describe("For x= of signatures; none without it."),
        rules: z
          .array(
            z.strictObject({
              from: read(parsePattern, 'A domain, "*.example.org" for all below it, or "*".'),
              as: domain("The domain whose keys sign."),
            }),
          )
          .default([])
          .describe("Who signs for domains that have no keys of their own; the first that fits counts."),
        logins: z
          .enum(["any", "own"])
          .default("any")
          .describe("own: mail of who logged in as somebody@example.org is signed for example.org alone."),
      })
      .prefault({}),
    policy: z
      .strictObject({
        dmarcFail: z
          .enum(["tag", "quarantine", "reject", "as-asked"])
          .default("tag")
          .describe("as-asked: what the author's domain asks for in its DMARC record."),
        spfFail: action("SPF says fail."),
        dkimFail: action("There are signatures, and none passes."),
        iprevFail: action("The client's address has no name that leads back to it."),
        noAuthor: action("From is missing, unreadable, or names several domains."),
        arcFail: action("There is a chain of ARC seals, and it is broken."),
        temporary: z
          .enum(["tag", "tempfail"])
          .default("tag")
          .describe("DNS did not answer, and the mail might have passed: let it in, or have it sent again."),
      })
      .prefault({})
      .describe("What is done with incoming mail. tag: its results are written into it, and nothing else."),
    trustedSealers: z
      .array(domain("A domain, d= of its ARC seals."))
      .default([])
      .describe(
        "Whose word counts that DMARC passed before they changed the mail: your lists and forwarders.",
      ),
    sealAs: domain("A domain of yours that has keys.")
      .optional()
      .describe("Adds an ARC set to incoming mail."),
  })
  .describe("Signing and authenticating mail as a milter (zonepost milter run).");
