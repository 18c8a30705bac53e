/** The server's settings: from a file and from the environment, checked as one; secrets are named, never held. */
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";

const path = z.string().min(1).max(4096);
const secretSource = z
  .strictObject({
    file: path.optional().describe("A file that holds it, and nothing else."),
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
  });

/** "127.0.0.1:8025", "[::1]:8025" */
const listen = z
  .string()
  .regex(
    /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/,
    "write an address and a port, as in 127.0.0.1:8025",
  )
  .transform((text) => {
    const at = text.lastIndexOf(":");
    return { address: text.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(text.slice(at + 1)) };
  })
  .refine(({ port }) => port <= 65_535, { message: "a port is at most 65535" });

const origin = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:\/\/[^/?#]+\/?$/.test(text), {
    message: "write it as browsers see it and without a path, as in https://zonepost.example.org",
  })
  .transform((text) => new URL(text).origin);

const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, "write a time of day, as in 22:00");
const timeZone = z.string().refine(
  (text) => {
    try {
      return new Intl.DateTimeFormat("en", { timeZone: text }) !== undefined;
    } catch {
      return false;
    }
  },
  { message: "there is no such time zone; write it as in Europe/Berlin" },
);
const mailAddress = z
  .string()
  .max(254)
  .regex(/^[^\s<>"(),:;\\[\]@\p{Cc}]+@[^\s<>@\p{Cc}]+$/u, "write a mail address, as in ops@example.org");
const webAddress = z
  .string()
  .max(2_000)
  .refine((text) => URL.canParse(text) && /^https?:/.test(text), { message: "write a URL" });
const ofChannel = {
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "write a short name of a-z, 0-9 and hyphens")
    .describe("A short name of the channel."),
  minimumSeverity: z
    .enum(["error", "warning", "notice"])
    .default("warning")
    .describe("What is less is not told here."),
  quietHours: z
    .strictObject({
      from: timeOfDay.describe("As in 22:00."),
      until: timeOfDay.describe("As in 07:00; where it is earlier, of the next day."),
      timeZone: timeZone.default("UTC").describe("As in Europe/Berlin."),
    })
    .refine(({ from, until }) => from !== until, { message: "these hours never begin" })
    .optional()
    .describe("Hours in which news waits."),
  loudSeverity: z.enum(["error", "warning"]).optional().describe("What does not wait in quiet hours."),
  domains: z
    .array(z.string().min(1).max(255))
    .min(1)
    .max(1_000)
    .optional()
    .describe("News of these domains alone; of all where absent."),
  weeklyDigest: z.boolean().default(false).describe("true: what is open, every Monday."),
};
const channel = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("email").describe("Mail, over the local MTA where `alerts.mail` says nothing else."),
    from: mailAddress.describe("The sender."),
    to: mailAddress.describe("The receiver."),
    ...ofChannel,
  }),
  z.strictObject({
    kind: z.literal("webhook").describe("JSON by POST, signed."),
    url: webAddress.describe("Where it is sent to."),
    secret: secretSource.describe("The key of the HMAC-SHA256 in its signature."),
    ...ofChannel,
  }),
  z.strictObject({
    kind: z.literal("ntfy").describe("A topic of ntfy."),
    url: webAddress.describe("The topic's address."),
    token: secretSource.optional().describe("Where the topic asks for one."),
    ...ofChannel,
  }),
  z.strictObject({
    kind: z.literal("slack").describe("Slack and chats with the same incoming webhooks."),
    url: secretSource.describe("The webhook's address: whoever knows it may write there."),
    ...ofChannel,
  }),
]);

const schema = z
  .strictObject({
    listen: listen.prefault("127.0.0.1:8025").describe("Address and port to listen at."),
    url: origin.optional().describe("How browsers reach it, as in https://zonepost.example.org."),
    tls: z
      .strictObject({
        certificate: path.describe("A file of PEM: the certificate and its chain. Read again on SIGHUP."),
        key: path.describe("A file of PEM: the private key."),
      })
      .optional()
      .describe("Where the server speaks TLS by itself."),
    trustedProxies: z
      .array(z.string().regex(/^[0-9A-Fa-f:.]+(?:\/\d{1,3})?$/, "write addresses or networks"))
      .default([])
      .describe("Addresses or networks of proxies in front whose X-Forwarded-… headers count."),
    sealKey: secretSource
      .optional()
      .describe(
        "The key that private keys and secrets are sealed with; seal.key beside the state where absent. Nodes that share a database need the same one.",
      ),
    database: secretSource
      .optional()
      .describe(
        "Where the URL of a PostgreSQL lies; SQLite beside the seal key where absent. A node opens up to 28 connections.",
      ),
    session: z
      .strictObject({
        idleMinutes: z.coerce
          .number()
          .int()
          .min(5)
          .max(1440)
          .default(60)
          .describe("A session that is not used ends after so many minutes."),
        totalHours: z.coerce
          .number()
          .int()
          .min(1)
          .max(168)
          .default(12)
          .describe("Every session ends after so many hours."),
      })
      .prefault({})
      .describe("How long people stay logged in."),
    identityProvider: z
      .strictObject({
        issuer: z
          .string()
          .refine((text) => URL.canParse(text), { message: "write a URL" })
          .describe("The issuer's URL, as its discovery document has it."),
        clientId: z.string().min(1).max(500).describe("The id that it has given to this server."),
        clientSecret: secretSource.describe("The secret that it has given to this server."),
        title: z.string().min(1).max(100).default("Single sign-on").describe("What stands on the button."),
      })
      .optional()
      .describe(
        "OpenID Connect: users whose subject is named in their account come in by it. Who has no password here makes tokens and passkeys only where it says when they logged in (`auth_time`).",
      ),
    dns: z
      .strictObject({
        resolvers: z
          .array(z.string().min(1))
          .default([])
          .describe("Resolvers to ask beside the name servers; the system's where empty."),
        rootHints: path.optional().describe("A file of root hints; those of the internet where absent."),
        port: z.coerce
          .number()
          .int()
          .min(1)
          .max(65_535)
          .optional()
          .describe("The port of name servers; 53 where absent."),
      })
      .prefault({})
      .describe("How DNS is asked."),
    check: z
      .strictObject({
        assumePublic: z
          .array(z.string())
          .default([])
          .describe("Networks that count as public, such as those of a laboratory."),
        allowPrivate: z
          .boolean()
          .default(false)
          .describe("true: servers at private addresses are connected to, and name servers there are asked."),
        trust: z
          .array(path)
          .default([])
          .describe("Files of certificate authorities that count beside the usual."),
      })
      .prefault({})
      .describe("How domains are checked."),
    /** Read by the room records. */
    publish: z
      .array(z.unknown())
      .default([])
      .describe("Who holds zones: entries as in `publish` of zonepost.yaml."),
    watch: z
      .strictObject({
        enabled: z.boolean().default(true).describe("false: domains are checked only when somebody asks."),
        intervalMinutes: z.coerce
          .number()
          .int()
          .min(10)
          .max(10_080)
          .default(360)
          .describe("Each domain is checked so often."),
        confirmMinutes: z.coerce
          .number()
          .int()
          .min(1)
          .max(60)
          .default(5)
          .describe("What has changed is looked at again after so long, before it is told."),
        checksPerSecond: z.coerce
          .number()
          .min(0.1)
          .max(1_000)
          .default(20)
          .describe("At most so many are begun in a second, by each node."),
        concurrency: z.coerce
          .number()
          .int()
          .min(1)
          .max(256)
          .default(16)
          .describe("At most so many are under way at once, in each node."),
      })
      .prefault({})
      .describe("Domains checked again and again."),
    alerts: z
      .strictObject({
        channels: z.array(channel).max(50).default([]).describe("Who is told of news."),
        groupMinutes: z.coerce
          .number()
          .int()
          .min(1)
          .max(1_440)
          .default(15)
          .describe("News of so many minutes goes out together."),
        digest: z
          .strictObject({
            time: timeOfDay.default("08:00").describe("On Mondays at this time."),
            timeZone: timeZone.default("UTC").describe("As in Europe/Berlin."),
          })
          .prefault({})
          .describe("When the weekly digest goes out."),
        mail: z
          .strictObject({
            host: z
              .string()
              .min(1)
              .max(253)
              .optional()
              .describe("A server that takes mail; `program` where absent."),
            port: z.coerce.number().int().min(1).max(65_535).default(25).describe("Its port."),
            program: path.default("/usr/sbin/sendmail").describe("The local MTA's program to hand mail in."),
          })
          .prefault({})
          .describe("How mail of alerts leaves."),
        allowPrivate: z
          .boolean()
          .default(false)
          .describe("true: receivers of webhooks may stand in private networks."),
        allowPlain: z.boolean().default(false).describe("true: webhooks may go over http."),
      })
      .prefault({})
      .describe("News for people.")
      .superRefine(({ channels }, context) => {
        const ids = channels.map(({ id }) => id);
        const twice = ids.findIndex((id, at) => ids.indexOf(id) !== at);
        if (twice >= 0)
          context.addIssue({ code: "custom", path: ["channels", twice, "id"], message: "this id is taken" });
      }),
    log: z.enum(["debug", "info", "warn", "error"]).default("info").describe("How much the log says."),
  })
  .superRefine(({ listen: { address }, url, tls, trustedProxies }, context) => {
    const isLocal = /^(?:127\.|::1$)/.test(address);
    const issue = (at: string, message: string) => context.addIssue({ code: "custom", path: [at], message });
    if (!isLocal && tls === undefined && trustedProxies.length === 0)
      issue("listen", "others could read along: give tls, or trustedProxies where a proxy stands in front");
    if (!isLocal && url === undefined)
      issue("url", "say how browsers reach it, as in https://zonepost.example.org");
    if (tls !== undefined && url?.startsWith("http:")) issue("url", "with tls it begins with https://");
    if (url?.startsWith("http:") && !/^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(url))
      issue("url", "only this machine itself may be reached without https");
  });

/** For editors and the reference. */
export const settingsJsonSchema = (): object =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });

export type ServerConfiguration = z.output<typeof schema>;

/** One thing wrong: where it stands, and what to do. */
export interface SettingProblem {
  /** "tls.key", or the variable that said it. */
  readonly where: string;
  readonly line?: number;
  readonly problem: string;
}

export type ServerSettingsResult =
  | { readonly ok: true; readonly settings: ServerConfiguration }
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

/** What the environment may say; it has the last word. */
export const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  ZONEPOST_LISTEN: ["listen"],
  ZONEPOST_URL: ["url"],
  ZONEPOST_TLS_CERTIFICATE: ["tls", "certificate"],
  ZONEPOST_TLS_KEY: ["tls", "key"],
  ZONEPOST_TRUSTED_PROXIES: ["trustedProxies"],
  ZONEPOST_SEAL_KEY_FILE: ["sealKey", "file"],
  ZONEPOST_SESSION_IDLE_MINUTES: ["session", "idleMinutes"],
  ZONEPOST_SESSION_TOTAL_HOURS: ["session", "totalHours"],
  ZONEPOST_LOG: ["log"],
};
const LISTS: ReadonlySet<string> = new Set(["ZONEPOST_TRUSTED_PROXIES"]);
const MAX_CHARACTERS = 1_000_000;

export function readServerSettings(
  text: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): ServerSettingsResult {
  const lines = new LineCounter();
  const refuse = (problem: string, line?: number): ServerSettingsResult => ({
    ok: false,
    problems: [{ where: "the file", ...(line !== undefined && { line }), problem }],
  });
  if ((text?.length ?? 0) > MAX_CHARACTERS)
    return refuse("longer than settings can be: is it the right file?");
  const document = parseDocument(text ?? "{}", {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "error",
  });
  const [fault] = document.errors;
  if (fault !== undefined)
    return refuse(`not valid YAML: ${fault.message}`, lines.linePos(fault.pos[0]).line);
  const content: unknown = document.toJS({ maxAliasCount: 20 }) ?? {};
  if (typeof content !== "object" || Array.isArray(content)) return refuse('write "name: value" lines');
  const whole = structuredClone(content) as Record<string, unknown>;
  const said = new Map<string, string>();
  for (const [variable, at] of Object.entries(VARIABLES)) {
    const value = environment[variable];
    if (value === undefined || value === "") continue;
    said.set(at.join("."), variable);
    put(whole, at, LISTS.has(variable) ? value.split(/[\s,]+/).filter((one) => one !== "") : value);
  }
  const result = schema.safeParse(whole);
  if (result.success) return { ok: true, settings: result.data };
  return {
    ok: false,
    problems: result.error.issues.map((issue) => {
      const at = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
      const where = at.join(".");
      const node = document.getIn(at, true) as { range?: [number, number, number] } | undefined;
      const variable = said.get(where);
      return {
        where: variable ?? (where || "the file"),
        ...(variable === undefined && node?.range && { line: lines.linePos(node.range[0]).line }),
        problem: wordsOf(issue),
      };
    }),
  };
}

function put(whole: Record<string, unknown>, at: readonly string[], value: unknown): void {
  const [first = "", second] = at;
  if (second === undefined) whole[first] = value;
  else whole[first] = { ...(whole[first] as object | undefined), [second]: value };
}

function wordsOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return `there is no such setting; at the top there are ${Object.keys(schema.shape).join(", ")}`;
    case "invalid_type":
      return issue.input === undefined && /received undefined/.test(issue.message)
        ? "is missing: write it"
        : `${issue.message.replace(/^Invalid input: /, "")}: write it so`;
    case "invalid_value":
      return `write one of ${issue.values.join(", ")}`;
    default:
      return issue.message;
  }
}
