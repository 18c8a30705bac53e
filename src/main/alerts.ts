/** News to people, by the channels of the settings. */
import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { auditEntry } from "../access/audit.ts";
import { UsageError } from "../interface/cli/exit-code.ts";
import type { ServeJob } from "../interface/cli/tools.ts";
import { createAlertPost } from "../net/alert-post.ts";
import { createLocalSubmission, createMailSubmission } from "../net/mail-submission.ts";
import type { SecretSource } from "../records/publish-settings.ts";
import { parseDomainName } from "../standards/dns/name.ts";
import type { AlertChannel } from "../watch/alert.ts";
import { type Alerts, createAlerts } from "../watch/alerts.ts";
import type { JobQueue } from "../watch/job-queue.ts";
import { heloName } from "./mail.ts";
import { readSecret } from "./secret-source.ts";
import type { Surroundings } from "./surroundings.ts";

type AlertSettings = ServeJob["settings"]["alerts"];

/** Alerts whose settings may be others while the server runs. */
export interface OpenedAlerts extends Alerts {
  /** Throws a UsageError for settings that cannot be; they count once what it returns is called. */
  readonly prepare: (settings: AlertSettings) => () => Promise<void>;
}

export function openAlerts(
  settings: AlertSettings,
  around: Surroundings,
  queue: JobQueue,
  onTrouble: (trouble: string) => void,
): OpenedAlerts {
  let now = alertsBy(settings, around, queue, onTrouble);
  return {
    tell: (key, news) => now.tell(key, news),
    plan: () => now.plan(),
    get channels() {
      return now.channels;
    },
    tryOut: (channel) => now.tryOut(channel),
    handlers: {
      "alert-round": (payload, call) => now.handlers["alert-round"](payload, call),
      "alert-delivery": (payload, call) => now.handlers["alert-delivery"](payload, call),
      "weekly-digest": (payload, call) => now.handlers["weekly-digest"](payload, call),
    },
    prepare(next) {
      const prepared = alertsBy(next, around, queue, onTrouble);
      return async () => {
        now = prepared;
        await now.plan();
      };
    },
  };
}

function alertsBy(
  alerts: AlertSettings,
  { state, alerts: given }: Surroundings,
  queue: JobQueue,
  onTrouble: (trouble: string) => void,
): Alerts {
  const { groupMinutes, digest, mail, allowPrivate, allowPlain } = alerts;
  const submit =
    mail.host === undefined
      ? createLocalSubmission(mail.program)
      : createMailSubmission({
          host: mail.host,
          port: mail.port,
          tls: "starttls",
          authorities: [],
          // On this machine nobody listens in between.
          isTrustedBlindly: /^(?:localhost|127\.|::1$)/.test(mail.host),
          heloName: heloName(),
        });
  return createAlerts(
    {
      channels: given?.channels ?? alerts.channels.map(readChannel),
      groupSeconds: 60 * groupMinutes,
      digest,
    },
    {
      store: state.alertNews,
      watch: state.watch,
      queue,
      now: () => new Date(),
      rest: () => setImmediate(),
      onTrouble,
      onTold: ({ id }, { title, kind, severity }) =>
        state.access.audit(
          auditEntry(
            {
              actor: "system",
              address: undefined,
              action: "alert.told",
              target: id,
              details: { title, kind, severity },
            },
            new Date(),
            (count) => randomBytes(count),
          ),
        ),
      sendMail: async ({ mailFrom, rcptTo, message }) => {
        const outcome = await submit({ mailFrom, rcptTo, message });
        return outcome.status === "accepted"
          ? { status: "accepted" }
          : { status: outcome.status, detail: outcome.detail };
      },
      post: createAlertPost({ allowPrivate, allowPlain }),
      ...(given && { sendMail: given.sendMail, post: given.post }),
    },
  );
}

type ChannelSettings = AlertSettings["channels"][number];

function readChannel(settings: ChannelSettings, at: number): AlertChannel {
  const { id, minimumSeverity, quietHours, loudSeverity, weeklyDigest } = settings;
  const where = `alerts.channels[${at}]`;
  const domains = settings.domains?.map((text) => {
    const name = parseDomainName(text);
    if (!name.ok) throw new UsageError(`${where}.domains: ${text}: ${name.problem}`);
    return name.value;
  });
  const secret = (source: SecretSource, name: string) => readSecret(source, `${where}.${name}`);
  const shared = {
    id,
    minimumSeverity,
    weeklyDigest,
    ...(quietHours && { quietHours }),
    ...(loudSeverity && { loudSeverity }),
    ...(domains && { domains }),
  };
  switch (settings.kind) {
    case "email":
      return { ...shared, target: { kind: "email", from: settings.from, to: settings.to } };
    case "webhook": {
      const key = secret(settings.secret as SecretSource, "secret");
      return { ...shared, target: { kind: "webhook", url: settings.url, secret: key } };
    }
    case "ntfy": {
      const token = settings.token && secret(settings.token as SecretSource, "token");
      return { ...shared, target: { kind: "ntfy", url: settings.url, ...(token && { token }) } };
    }
    case "slack": {
      const url = secret(settings.url as SecretSource, "url").reveal();
      if (!URL.canParse(url)) throw new UsageError(`${where}.url: what is kept there is no URL`);
      return { ...shared, target: { kind: "slack", url } };
    }
    default:
      return settings satisfies never;
  }
}
