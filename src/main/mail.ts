/** Mail that is sent and taken in by this machine. */
import { hostname, networkInterfaces } from "node:os";
import { generateDkimKeyPair } from "../keys/generate.ts";
import type { MailSink, MailSinkSettings } from "../milter/mail-exchange.ts";
import { selfSignedCertificate } from "../net/self-signed-certificate.ts";
import { startSmtpSink } from "../net/smtp-sink.ts";

/** With a certificate that signs itself where none is given: senders encrypt to that too. */
export async function startMailSink(settings: Omit<MailSinkSettings, "hostName">): Promise<MailSink> {
  const hostName = heloName();
  const certificate = settings.certificate ?? (await makeCertificate(hostName));
  return startSmtpSink({ ...settings, hostName, certificate, now: () => new Date() });
}

async function makeCertificate(name: string): Promise<{ chain: string; key: string }> {
  const { privateKey } = await generateDkimKeyPair({ algorithm: "rsa", modulusBits: 2048 });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const day = 86_400_000;
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 7 * day) };
  return { chain: selfSignedCertificate({ name, privateKey: key, ...validity }), key };
}

/** RFC 5321 §4.1.4: the host's name, or an address literal where it has none that others know. */
export function heloName(): string {
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(hostname())) return hostname();
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const address = own.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  return `[${address ?? "127.0.0.1"}]`;
}
