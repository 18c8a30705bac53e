/** A Postfix of the test's own: one instance with any number of listeners, each with its own faults. */
import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServedCertificate } from "./certificates.ts";
import { isListening } from "./network-namespace.ts";
import { findProgram, makeServerDirectory, type RunningServer, startServer } from "./real-server.ts";

export interface PostfixListener {
  readonly address: string;
  readonly port: number;
  /** Without one there is no TLS. */
  readonly certificate?: ServedCertificate;
  /** TLS from the first octet, as on port 465. */
  readonly isTlsFirst?: boolean;
  /** Parameters of main.cf for this listener alone: `myhostname`, `smtpd_banner`, `smtpd_tls_protocols`. */
  readonly options?: Readonly<Record<string, string>>;
}

export interface PostfixOptions {
  readonly namespace?: string;
  readonly listeners: readonly PostfixListener[];
  /** Domains it takes mail for; the mail is thrown away. */
  readonly domains: readonly string[];
  /** Parameters of main.cf for all listeners. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Further lines of master.cf. */
  readonly services?: readonly string[];
  /** A socket of Dovecot's authentication: with it, listeners may set smtpd_sasl_auth_enable. */
  readonly saslSocket?: string;
}

export interface RunningPostfix extends RunningServer {
  /** Where main.cf lies: what `-c` of Postfix's programs takes. */
  readonly configuration: string;
}

/** Needs to be root. */
export async function startPostfix(options: PostfixOptions): Promise<RunningPostfix> {
  const { namespace, listeners, domains, settings = {}, saslSocket } = options;
  const directory = makeServerDirectory("postfix");
  const inside = (name: string) => join(directory, name);
  for (const name of ["etc", "queue", "data"]) mkdirSync(inside(name));
  chownSync(inside("data"), postfixUserId(), -1);
  const parameters = {
    compatibility_level: "3.6",
    queue_directory: inside("queue"),
    data_directory: inside("data"),
    maillog_file: inside("log"),
    maillog_file_prefixes: directory,
    inet_interfaces: "all",
    inet_protocols: "all",
    myhostname: "postfix.invalid",
    mydestination: "",
    local_recipient_maps: "",
    alias_maps: "",
    alias_database: "",
    mynetworks: "",
    relay_domains: domains.join(" "),
    relay_transport: "discard:",
    default_transport: "error:nothing leaves this test",
    smtpd_relay_restrictions: "permit_sasl_authenticated, reject_unauth_destination",
    smtpd_tls_protocols: ">=TLSv1.2",
    smtpd_peername_lookup: "no",
    disable_dns_lookups: "yes",
    smtpd_error_sleep_time: "0",
    smtpd_client_connection_count_limit: "0",
    ...(saslSocket !== undefined && { smtpd_sasl_type: "dovecot", smtpd_sasl_path: saslSocket }),
    ...settings,
  };
  const lines = Object.entries(parameters).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(inside("etc/main.cf"), lines.join(""));
  const services = listeners.map((listener, at) => listenerLines(listener, inside(`etc/tls-${at}.pem`)));
  writeFileSync(
    inside("etc/master.cf"),
    [...services, ...(options.services ?? []), ...INTERNAL_SERVICES].join("\n"),
  );
  // Postfix waits for a configuration to settle that is younger than two seconds.
  const aMinuteAgo = new Date(Date.now() - 60_000);
  for (const name of ["etc/main.cf", "etc/master.cf"]) utimesSync(inside(name), aMinuteAgo, aMinuteAgo);
  // Makes the folders of the queue with their owners; `postfix start-fg` would stand between us and its processes.
  const check = [findProgram("postfix")!, "-c", inside("etc"), "check"];
  const [program = "", ...words] =
    namespace === undefined ? check : ["ip", "netns", "exec", namespace, ...check];
  execFileSync(program, words, { stdio: "pipe" });
  const server = await startServer({
    program: "master",
    arguments: ["-s", "-c", inside("etc")],
    directory,
    namespace,
    isReady: ({ pid }) => isListening(pid, listeners),
  });
  return { ...server, configuration: inside("etc") };
}

function listenerLines(listener: PostfixListener, certificateFile: string): string {
  const { address, port, certificate, isTlsFirst = false, options = {} } = listener;
  if (certificate !== undefined) {
    writeFileSync(certificateFile, certificate.key + certificate.chain, { mode: 0o600 });
  }
  const all = {
    ...(certificate === undefined
      ? { smtpd_tls_security_level: "none" }
      : { smtpd_tls_security_level: "may", smtpd_tls_chain_files: certificateFile }),
    ...(isTlsFirst && { smtpd_tls_wrappermode: "yes", smtpd_tls_security_level: "encrypt" }),
    ...options,
  };
  const endpoint = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const overrides = Object.entries(all).map(([name, value]) => `\n  -o { ${name} = ${value} }`);
  return `${endpoint} inet n - n - - smtpd${overrides.join("")}`;
}

/** What smtpd cannot do without; nothing runs in a changed root. */
const INTERNAL_SERVICES = [
  "postlog unix-dgram n - n - 1 postlogd",
  "cleanup unix n - n - 0 cleanup",
  "qmgr unix n - n 300 1 qmgr",
  "tlsmgr unix - - n 1000? 1 tlsmgr",
  "rewrite unix - - n - - trivial-rewrite",
  "bounce unix - - n - 0 bounce",
  "defer unix - - n - 0 bounce",
  "trace unix - - n - 0 bounce",
  "verify unix - - n - 1 verify",
  "proxymap unix - - n - - proxymap",
  "error unix - - n - - error",
  "retry unix - - n - - error",
  "discard unix - - n - - discard",
  "smtp unix - - n - - smtp",
  "anvil unix - - n - 1 anvil",
  "pickup unix n - n 60 1 pickup",
  "flush unix n - n 1000? 0 flush",
  "showq unix n - n - - showq",
  "",
];

function postfixUserId(): number {
  return Number(execFileSync("id", ["-u", "postfix"], { encoding: "utf8" }));
}
