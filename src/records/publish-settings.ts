/** Who holds the zones of the description, and where the secrets for that lie; never the secrets themselves. */
import { z } from "zod";
import { parseDomainName } from "../standards/dns/name.ts";

const name = (description: string) =>
  z
    .string()
    .transform((text, context) => {
      const parsed = parseDomainName(text.trim());
      if (parsed.ok) return parsed.value;
      context.issues.push({
        code: "custom",
        message: `"${text}" is not a domain name: ${parsed.problem}`,
        input: text,
      });
      return z.NEVER;
    })
    .describe(description);

const secret = z
  .strictObject({
    file: z.string().min(1).optional().describe("A file that holds it, and nothing else."),
    env: z
      .string()
      .regex(/^[A-Za-z_]\w*$/)
      .optional()
      .describe("An environment variable."),
    credential: z
      .string()
      .regex(/^[\w.-]+$/)
      .optional()
      .describe("A systemd credential."),
  })
  .refine((source) => Object.values(source).filter((value) => value !== undefined).length === 1, {
    message: "give exactly one of file, env, credential; the secret itself does not belong here",
  })
  .describe("Where a secret lies: in a file, an environment variable, or a systemd credential.");
export type SecretSource = z.output<typeof secret>;

const url = z
  .string()
  .refine((text) => /^https?:\/\//.test(text) && URL.canParse(text), "write a URL that begins with https://");

const zones = z
  .array(name("A zone."))
  .min(1)
  .optional()
  .describe("The zones that it holds; all described domains where nothing is said.");

/** No shell reads it: each word is one argument. */
const command = (description: string) =>
  z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(`${description} {zone} and {file} stand for the zone's name and the file.`);

/** Those that an API can be given as well: they run no programs. */
const overNetwork = <S extends z.ZodType>(secret: S) => {
  const withToken = <P extends string>(provider: P, title: string) =>
    z.strictObject({ provider: z.literal(provider).describe(title), zones, token: secret });
  return [
    z.strictObject({
      provider: z.literal("rfc2136").describe("Dynamic updates with TSIG: BIND, Knot, PowerDNS and others."),
      zones,
      server: z
        .string()
        .min(1)
        .max(300)
        .describe("The primary name server: an address, with :port where it is not 53."),
      key: z
        .strictObject({
          name: name("The name of the key, as the server has it."),
          algorithm: z.enum(["hmac-sha256", "hmac-sha384", "hmac-sha512"]).default("hmac-sha256"),
          secret,
        })
        .describe("The TSIG key."),
    }),
    z.strictObject({
      provider: z.literal("powerdns").describe("PowerDNS over its HTTP API."),
      zones,
      url,
      server: z.string().max(300).default("localhost").describe("The server's id in the API."),
      apiKey: secret,
    }),
    z.strictObject({
      provider: z.literal("route53").describe("Amazon Route 53."),
      zones,
      accessKeyId: secret,
      secretAccessKey: secret,
    }),
    withToken("cloudflare", "Cloudflare."),
    withToken("hetzner", "Hetzner DNS."),
    withToken("digitalocean", "DigitalOcean."),
    withToken("desec", "deSEC."),
    withToken("gandi", "Gandi LiveDNS."),
  ] as const;
};

const [dynamicUpdates, ...apis] = overNetwork(secret);

export const publishEntry = z
  .discriminatedUnion("provider", [
    dynamicUpdates,
    z.strictObject({
      provider: z.literal("zone-file").describe("A zone file that a name server loads."),
      zones,
      file: z.string().min(1).describe("The file; {zone} stands for the zone's name."),
      check: command(
        'Judges the new text before it is put in place, as in [named-checkzone, "{zone}", "{file}"].',
      ),
      reload: command('Tells the name server to load it, as in [rndc, reload, "{zone}"].'),
      fragment: z.boolean().default(false).describe("true: a file of our records alone, for $INCLUDE."),
    }),
    ...apis,
  ])
  .describe("Who holds zones, so that records can be published.");

/** Of a key or token as people paste it. */
const MAX_SECRET_CHARACTERS = 1_000;

/** The same as entered in a form, with the secrets themselves. A zone file is left out: programs are the machine's owner's to name. */
export const enteredProvider = z
  .discriminatedUnion(
    "provider",
    overNetwork(
      z
        .string()
        .trim()
        .min(1)
        .max(MAX_SECRET_CHARACTERS)
        .regex(/^[\x21-\x7e]+$/, "a key or token has no spaces, and nothing beyond ASCII"),
    ),
  )
  .describe("Who holds zones, and the secret that opens them.");
export type EnteredProvider = z.output<typeof enteredProvider>;

export type PublishEntry = z.output<typeof publishEntry>;
