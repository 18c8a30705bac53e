/** `zonepost milter`: signs and authenticates mail behind Postfix or Sendmail. */
import { type Command, Option } from "commander";
import type { KeyStore } from "../../keys/key-store.ts";
import { openSealedKey } from "../../keys/sealing.ts";
import { type MilterAddress, parseMilterAddress } from "../../milter/address.ts";
import type { MilterSettings } from "../../milter/settings.ts";
import { createSigningTable, type OpenKey } from "../../milter/signing-table.ts";
import type { Description } from "../../records/description.ts";
import type { SigningKey } from "../../standards/dkim/sign.ts";
import { loadDescription, readInteger, readListenAddress } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { openSealKey, type SealKeyOptions } from "./seal-key.ts";
import { openStateOf } from "./settings-file.ts";
import { stateDirectory } from "./state-directory.ts";
import { visible } from "./terminal.ts";
import type { LoadedMilter, Tools } from "./tools.ts";
import { repeatable } from "./view-options.ts";

/** Below Postfix's queue directory, so that it is reached from inside its chroot as well. */
const DEFAULT_LISTEN = "unix:/var/spool/postfix/zonepost/milter.sock";
const DEFAULT_MODE = 0o660;
const QUEUE_DIRECTORY = "/var/spool/postfix/";

interface MilterRunOptions extends SealKeyOptions {
  readonly config: string;
  readonly state?: string;
  readonly listen: string;
  readonly socketMode: number;
  readonly socketGroup?: string;
  readonly workers?: number;
  readonly resolver: readonly string[];
  readonly dnsSeconds: number;
  readonly grace: number;
  readonly metrics?: string;
  readonly json?: boolean;
}

interface PostfixConfigOptions {
  readonly listen: string;
  readonly json?: boolean;
}

export function addMilter(
  program: Command,
  command: (name: string, description: string, parent?: Command) => Command,
  tools: Tools,
  finish: (code: ExitCode) => void,
): void {
  const milter = program
    .command("milter")
    .description("sign and authenticate mail behind Postfix or Sendmail");
  command(
    "run",
    "take connections of the mail server, until interrupted; SIGHUP reads the description anew",
    milter,
  )
    .option("-c, --config <file>", "the description", "zonepost.yaml")
    .option("--state <directory>", "where keys are kept")
    .option("--seal-key <file>", "the key that opens private keys")
    .option("--listen <address>", 'where: "unix:PATH", "inet:PORT@ADDRESS"', DEFAULT_LISTEN)
    .addOption(
      new Option("--socket-mode <octal>", "rights of the socket file")
        .argParser(readMode)
        .default(DEFAULT_MODE, DEFAULT_MODE.toString(8)),
    )
    .option("--socket-group <name>", "its group, such as postfix")
    .option("--workers <number>", "processes (default: one for each core, four at most)", (text) =>
      readInteger(text, "--workers", 1, 64),
    )
    .addOption(repeatable("--resolver <ip[:port]>", "a recursive resolver", "the system's"))
    .option(
      "--dns-seconds <number>",
      "DNS of one message may take so long",
      (text) => readInteger(text, "--dns-seconds", 1, 120),
      20,
    )
    .option(
      "--grace <seconds>",
      "how long to wait for SMTP sessions at the end",
      (text) => readInteger(text, "--grace", 0, 3600),
      30,
    )
    .option("--metrics <ip:port>", "answer Prometheus there, at /metrics")
    .action(async (options: MilterRunOptions) => finish(await runMilter(options, tools)));
  command("postfix-config", "the lines that join Postfix with the milter", milter)
    .option("--listen <address>", "where the milter listens", DEFAULT_LISTEN)
    .action((options: PostfixConfigOptions) => finish(runPostfixConfig(options, tools)));
}

function readMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text))
    throw new UsageError(`--socket-mode takes octal rights, as in 660, not "${text}"`);
  return Number.parseInt(text, 8);
}

function readAddress(text: string): MilterAddress {
  const address = parseMilterAddress(text);
  if (!address.ok) throw new UsageError(`--listen: ${address.problem}`);
  return address.value;
}

export async function runMilter(options: MilterRunOptions, tools: Tools): Promise<ExitCode> {
  const address = readAddress(options.listen);
  const metrics = options.metrics === undefined ? undefined : readListenAddress(options.metrics, "--metrics");
  const directory = stateDirectory(options.state, tools);
  const state = await openStateOf(directory, tools);
  const { terminal } = tools;
  const complain = (text: string) => terminal.err(`zonepost: ${visible(text)}\n`);
  try {
    const store = state.keys;
    const load = () => loadMilter(options, store, directory, complain, tools);
    // What is wrong is said before anything listens.
    const { settings } = await load();
    const signed = new SignedKeys(store);
    await tools
      .serveMilter({
        address,
        socketMode: options.socketMode,
        ...(options.socketGroup !== undefined && { socketGroup: options.socketGroup }),
        ...(options.workers !== undefined && { workers: options.workers }),
        resolvers: options.resolver,
        dnsMilliseconds: options.dnsSeconds * 1_000,
        graceMilliseconds: options.grace * 1_000,
        ...(metrics !== undefined && { metrics }),
        load,
        onSigned: (keys) => signed.note(keys, tools.now()),
        onInterval: () => signed.store(complain),
        onListening: (workers) => {
          const facts = { listen: options.listen, workers, authservId: settings.authservId };
          const text = `Listening at ${options.listen} as ${settings.authservId}, ${workers === 1 ? "1 process" : `${workers} processes`}.`;
          if (options.json) terminal.out(`${JSON.stringify(facts)}\n`);
          else terminal.err(`${visible(text)}\n`);
        },
        onLines: (lines) => terminal.out(`${lines.join("\n")}\n`),
        onReloaded: () => terminal.err("The settings were read anew.\n"),
        onTrouble: complain,
      })
      .catch((error: NodeJS.ErrnoException) => {
        throw error instanceof UsageError
          ? error
          : new UsageError(`--listen ${options.listen}: ${error.message}`);
      });
    await signed.store(complain);
    return EXIT.ok;
  } finally {
    await state.close();
  }
}

async function loadMilter(
  options: MilterRunOptions,
  store: KeyStore,
  directory: string,
  complain: (text: string) => void,
  tools: Tools,
): Promise<LoadedMilter> {
  const description = loadDescription(options.config, tools);
  const settings = settingsOf(description);
  const all = await store.list();
  const master = all.length === 0 ? undefined : openSealKey(options, directory, all, tools);
  const openKey: OpenKey = (key) => {
    const opened = openSealedKey(key.sealed, key, master ?? openSealKey(options, directory, [key], tools));
    if (opened.status !== "opened") return { ok: false, problem: opened.problem };
    const { signingDomain, dkimSelector, publicKey } = key;
    return {
      ok: true,
      value: { signingDomain, dkimSelector, keyType: publicKey.keyType, privateKey: opened.privateKey },
    };
  };
  const table = createSigningTable({
    listKeys: (domain) => store.list(domain),
    openKey,
    rules: settings.signing.rules,
    now: () => tools.now().getTime(),
    onProblem: (_, problem) => complain(problem),
  });
  return { settings, table };
}

export function settingsOf({ milter, servers }: Description): MilterSettings {
  const authservId = milter.authservId ?? servers[0]?.host;
  if (authservId === undefined) {
    throw new UsageError(
      "the description names no server: give milter.authservId, the name in Authentication-Results",
    );
  }
  const { signing } = milter;
  return {
    authservId,
    trustedIds: milter.trustedIds,
    outgoing: milter.outgoing,
    signing: {
      headerCanonicalization: signing.header,
      bodyCanonicalization: signing.body,
      expiresAfterSeconds:
        signing.expiresAfterDays === undefined ? undefined : signing.expiresAfterDays * 86_400,
      rules: signing.rules.map(({ from, as }) => ({ from, signingDomain: as })),
      logins: signing.logins,
    },
    policy: milter.policy,
    trustedSealers: milter.trustedSealers,
    sealAs: milter.sealAs,
  };
}

/** When keys last signed: kept in memory, and written down now and then. */
class SignedKeys {
  readonly #store: KeyStore;
  readonly #last = new Map<string, { readonly key: SigningKey; readonly at: Date }>();

  constructor(store: KeyStore) {
    this.#store = store;
  }

  note(keys: readonly SigningKey[], at: Date): void {
    for (const key of keys) this.#last.set(`${key.dkimSelector} ${key.signingDomain}`, { key, at });
  }

  /** What cannot be written stays for the next time; signing goes on. */
  async store(complain: (text: string) => void): Promise<void> {
    for (const [id, { key, at }] of this.#last) {
      try {
        const before = await this.#store.get(key);
        const isNews =
          before !== undefined && (before.lastSignedAt === undefined || before.lastSignedAt < at);
        if (isNews) await this.#store.change([{ before, after: { ...before, lastSignedAt: at } }]);
        // Unless it has signed again meanwhile.
        if (this.#last.get(id)?.at === at) this.#last.delete(id);
      } catch (error) {
        complain(`when keys last signed cannot be written down: ${(error as Error).message}`);
        return;
      }
    }
  }
}

export function runPostfixConfig({ listen, json }: PostfixConfigOptions, tools: Tools): ExitCode {
  const address = readAddress(listen);
  const milter = postfixAddress(address);
  const main = {
    smtpd_milters: milter,
    non_smtpd_milters: "$smtpd_milters",
    milter_default_action: "tempfail",
  };
  const { terminal } = tools;
  if (json) {
    terminal.out(`${JSON.stringify({ main }, null, 2)}\n`);
    return EXIT.ok;
  }
  terminal.out(
    [
      "# main.cf",
      ...Object.entries(main).map(([name, value]) => `${name} = ${value}`),
      "",
      "# master.cf, below each service that takes mail from your own users (submission, submissions):",
      "  -o milter_macro_daemon_name=ORIGINATING",
      "",
      "# master.cf, below the smtpd that takes mail back from a content filter, where there is one:",
      "  -o smtpd_milters=",
      "",
      ...(address.kind === "unix" && address.path.startsWith(QUEUE_DIRECTORY)
        ? [
            "# The socket lies below Postfix's queue directory, and is named from there: so it is reached with and",
            "# without chroot. Postfix' processes run as the user postfix:",
            "#   zonepost milter run --socket-group postfix",
          ]
        : address.kind === "unix"
          ? [`# Where smtpd runs in a chroot (master.cf; Debian's usual way), it cannot see ${address.path}.`]
          : [
              "# Anybody who reaches this port has mail signed: keep it on loopback, and off hosts with other users.",
            ]),
      "",
    ].join("\n"),
  );
  return EXIT.ok;
}

function postfixAddress(address: MilterAddress): string {
  if (address.kind === "unix") return `unix:${address.path.replace(new RegExp(`^${QUEUE_DIRECTORY}`), "")}`;
  const { host, port } = address;
  return host.includes(":") ? `inet:[${host}]:${port}` : `inet:${host}:${port}`;
}
