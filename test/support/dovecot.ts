/** A Dovecot of the test's own: IMAP, POP3 and ManageSieve on any number of addresses, a certificate for each. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServedCertificate } from "./certificates.ts";
import { isListening } from "./network-namespace.ts";
import { makeServerDirectory, type RunningServer, type ServerProgram, startServer } from "./real-server.ts";

const SERVICES = {
  imap: { service: "imap-login", isTlsFirst: false },
  imaps: { service: "imap-login", isTlsFirst: true },
  pop3: { service: "pop3-login", isTlsFirst: false },
  pop3s: { service: "pop3-login", isTlsFirst: true },
  sieve: { service: "managesieve-login", isTlsFirst: false },
} as const;

export interface DovecotListener {
  readonly protocol: keyof typeof SERVICES;
  readonly address: string;
  readonly port: number;
}

/** One address, on all its ports. */
export interface DovecotAddress {
  readonly address: string;
  /** Without one there is no TLS. */
  readonly certificate?: ServedCertificate;
  /** Settings that Dovecot takes for one address: `ssl_min_protocol`, `login_greeting`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface DovecotOptions {
  readonly namespace?: string;
  readonly listeners: readonly DovecotListener[];
  readonly addresses: readonly DovecotAddress[];
}

export interface RunningDovecot extends RunningServer {
  /** For Postfix: who logs in there is known here. Everybody's password is "secret". */
  readonly saslSocket: string;
}

/** Needs to be root. */
export async function startDovecot(options: DovecotOptions): Promise<RunningDovecot> {
  const { namespace, listeners, addresses } = options;
  const directory = makeServerDirectory("dovecot");
  const inside = (name: string) => join(directory, name);
  for (const name of ["run", "state", "mail"]) mkdirSync(inside(name));
  const saslSocket = inside("run/sasl");
  const configuration = `
base_dir = ${inside("run")}
state_dir = ${inside("state")}
instance_name = ${directory.replace(/\W+/g, "-")}
log_path = /dev/stderr
protocols = imap pop3 sieve
listen = ${[...new Set(listeners.map(({ address }) => address))].join(", ")}
${globalTls(addresses, inside("tls"))}
disable_plaintext_auth = yes
mail_location = maildir:${inside("mail")}/%u
auth_mechanisms = plain login
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=dovecot gid=dovecot home=${inside("mail")}/%u
}
first_valid_uid = 1
service auth {
  unix_listener sasl {
    mode = 0666
  }
}
${["imap-login", "pop3-login", "managesieve-login"].map((service) => serviceBlock(service, listeners)).join("\n")}
${addresses.map((each, at) => addressBlock(each, inside(`tls-${at}`))).join("\n")}
`;
  writeFileSync(inside("dovecot.conf"), configuration);
  const program: ServerProgram = {
    program: "dovecot",
    arguments: ["-F", "-c", inside("dovecot.conf")],
    directory,
    namespace,
    isReady: ({ pid }) => isListening(pid, listeners),
  };
  return { ...(await startServer(program)), saslSocket };
}

function serviceBlock(service: string, listeners: readonly DovecotListener[]): string {
  const mine = listeners.filter(({ protocol }) => SERVICES[protocol].service === service);
  const blocks = mine.map(
    ({ protocol, address, port }, at) => `  inet_listener test_${at} {
    address = ${address}
    port = ${port}
    ssl = ${SERVICES[protocol].isTlsFirst ? "yes" : "no"}
  }`,
  );
  // The listeners that Dovecot has by itself are put out.
  const own = { "imap-login": ["imap", "imaps"], "pop3-login": ["pop3", "pop3s"] }[service] ?? ["sieve"];
  return `service ${service} {
  service_count = 0
${own.map((name) => `  inet_listener ${name} {\n    port = 0\n  }`).join("\n")}
${blocks.join("\n")}
}`;
}

/** Where TLS is off for all, it cannot be turned on for one; some certificate has to be there for all. */
function globalTls(addresses: readonly DovecotAddress[], file: string): string {
  const certificate = addresses.find((each) => each.certificate !== undefined)?.certificate;
  return certificate === undefined ? "ssl = no" : settingLines(tlsSettings(certificate, file));
}

function tlsSettings({ chain, key }: ServedCertificate, file: string): Readonly<Record<string, string>> {
  writeFileSync(`${file}.pem`, chain);
  writeFileSync(`${file}.key`, key, { mode: 0o600 });
  return { ssl: "yes", ssl_cert: `<${file}.pem`, ssl_key: `<${file}.key` };
}

function settingLines(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join("\n");
}

function addressBlock({ address, certificate, settings = {} }: DovecotAddress, file: string): string {
  const tls = certificate === undefined ? { ssl: "no" } : tlsSettings(certificate, file);
  return `local ${address} {\n${settingLines({ ...tls, ...settings })}\n}`;
}
