/** The command line: every command, its options and its help. */
import { Command, CommanderError, Option } from "commander";
import { EXPORT_FORMATS } from "../../keys/export.ts";
import { NAME_STYLES } from "../../records/form.ts";
import { FORMATS } from "../../records/format.ts";
import { TXT_STYLES } from "../../standards/dns/txt-rendering.ts";
import { readDuration, readInteger } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { IMPORT_FORMATS, runImport } from "./import.ts";
import { addMail } from "./mail.ts";
import { addMilter } from "./milter.ts";
import type { Tools } from "./tools.ts";
import { runTroubleshoot, SYMPTOM_NAMES } from "./troubleshoot.ts";
import { addViewOptions, repeatable } from "./view-options.ts";
import { addWorldOptions } from "./world-options.ts";

export const VERSION = "0.1.0";

const EXIT_CODES = `
Exit codes: 0 ok, 1 warnings, 2 errors, 3 could not tell, 64 wrong usage.`;

/** Runs one command line; never throws for what a user can do. */
export async function runCli(words: readonly string[], tools: Tools): Promise<ExitCode> {
  const { terminal } = tools;
  let exitCode: ExitCode = EXIT.ok;
  const program = createProgram(tools, (code) => {
    exitCode = code;
  });
  try {
    if (words.length === 0) {
      terminal.out(program.helpInformation());
      return EXIT.ok;
    }
    await program.parseAsync([...words], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof UsageError) {
      terminal.err(`${error.message.replace(/^/gm, "zonepost: ")}\n`);
      return error.exitCode;
    }
    throw error;
  }
}

/** `finish` gets the exit code of the command that ran. */
export function createProgram(tools: Tools, finish: (code: ExitCode) => void): Command {
  const { terminal } = tools;
  const program = new Command("zonepost")
    .description(
      "Derives every DNS record a mail server needs, publishes it, and checks what the world really sees.",
    )
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showHelpAfterError("(add --help for the options)")
    .addHelpText("after", EXIT_CODES);
  const command = (name: string, description: string, parent: Command = program): Command => {
    const made = parent.command(name).description(description);
    return made.option("--json", "print JSON").addHelpText("after", EXIT_CODES);
  };

  command("init", "write a description (zonepost.yaml) of your servers and domains")
    .addOption(repeatable("--domain <name>", "what comes after the @ of the addresses", "asked for"))
    .option("--host <name>", "the mail server's name (default: MAILNAME, then Postfix' myhostname)")
    .option("--address <ip...>", "the mail server's addresses")
    .option("--selector <name>", "the DKIM selector")
    .option("--dkim-key <file>", "the public key (or the record that the signer wrote) of the selector")
    .addOption(
      repeatable(
        "--signer <file>",
        "the signer's configuration, to take domains, selectors and keys from",
        "none",
      ),
    )
    .option("--no-mail", "the domains neither send nor receive mail")
    .option("--postfix <dir>", "where Postfix' main.cf is", "/etc/postfix")
    .option("--output <file>", "where to write it; - is standard output", "zonepost.yaml")
    .option("--force", "overwrite the file")
    .action(async (options) => finish(await (await import("./init.ts")).runInit(options, tools)));

  command("records", "derive every record of the description, each with its reason")
    .argument("[domain...]", "only these domains")
    .option("-c, --config <file>", "the description", "zonepost.yaml")
    .addOption(
      new Option("-f, --format <format>", "how to print them").choices([...FORMATS]).default("table"),
    )
    .addOption(
      new Option("--name-style <style>", "how a form names a record").choices([...NAME_STYLES]).default("at"),
    )
    .addOption(
      new Option(
        "--txt-style <style>",
        "how a form wants TXT: raw, quoted, strings of 255, or as BIND has it over several lines",
      )
        .choices([...TXT_STYLES])
        .default("raw"),
    )
    .option("--details", "with the table: also why, and what to type to see it")
    .option("--dns-host <id>", "as the form of this DNS host asks for them; list names all hosts")
    .action(async (domains, options) =>
      finish(await (await import("./records.ts")).runRecords(domains, options, tools)),
    );

  addWorldOptions(
    command("check", "check what the world sees of a domain's mail, with the fix of every problem"),
  )
    .argument("[domain...]", "the domains; those of the description or the signer where none is named")
    .addOption(
      repeatable(
        "--signer <file>",
        "the configuration of OpenDKIM, dkimpy-milter, rspamd or amavisd, to compare its selectors and keys",
        "none",
      ),
    )
    .option(
      "--from-file <file>",
      "read domains from a file, one a line (- is standard input); with --json one line each",
    )
    .option(
      "--concurrency <number>",
      "how many domains at a time",
      (text) => readInteger(text, "--concurrency", 1, 1000),
      32,
    )
    .option("-a, --all", "show what is fine in full too")
    .option("-q, --quiet", "one line for each problem, and nothing else")
    .action(async (domains, options) =>
      finish(await (await import("./check.ts")).runCheck(domains, options, tools)),
    );

  addWorldOptions(
    command(
      "route",
      "the way of a mail to an address: MX in order, who answers, which TLS, where it would fail",
    ),
  )
    .argument("<address>", "as in bob@example.org")
    .option("--rcpt", "ask the servers whether they would take mail for it; nothing is sent")
    .option("--mail-from <address>", "the sender to ask with; empty is the null sender", "")
    .action(async (address, options) =>
      finish(await (await import("./route.ts")).runRoute(address, options, tools)),
    );
  addWorldOptions(
    command("troubleshoot", "from a symptom, or from a pasted bounce, to the first cause and its fix"),
  )
    .argument("[domain]", "the domain; with --bounce the one that the bounce names")
    .addOption(
      new Option("--symptom <name>", "what goes wrong; asked for on a terminal").choices([...SYMPTOM_NAMES]),
    )
    .addOption(
      new Option(
        "--bounce [file]",
        "read a bounce, or a mail server's log line; standard input where no file is given",
      ).conflicts("symptom"),
    )
    .action(async (domain, options) => finish(await runTroubleshoot(domain, options, tools)));

  addWorldOptions(
    command(
      "compliance",
      "what Google, Yahoo, Microsoft and Apple ask of senders, and what the domain shows of it",
    ),
  )
    .argument("<domain>", "the domain that stands in From")
    .action(async (domain, options) =>
      finish(await (await import("./compliance.ts")).runCompliance(domain, options, tools)),
    );

  addViewOptions(command("lookup", "ask every name server and resolver for a record, side by side"))
    .argument("<name>", "the owner name")
    .argument("[type]", "the record type", "A")
    .action(async (name, type, options) =>
      finish(await (await import("./lookup.ts")).runLookup(name, type, options, tools)),
    );

  addViewOptions(
    command(
      "wait",
      "after a change: follow it to every name server, then to the resolvers, until all have it",
    ),
  )
    .argument("<name>", "the owner name; with --config and no type, a domain with all its records")
    .argument("[type]", "the record type")
    .argument("[value...]", "data that must be there; without one, any record that all name servers agree on")
    .option("-c, --config <file>", "wait for what this description wants")
    .option("--absent", "wait until the values, or all records, are gone")
    .option("--changed", "wait for any other answer than at the first look")
    .option("--once", "look once, and say until when caches may hold the old answer")
    .option(
      "--timeout <duration>",
      "give up after this time",
      (text: string) => readDuration(text, "--timeout"),
      600,
    )
    .option("--interval <duration>", "between two looks (default: 2s, growing to 30s)", (text) =>
      readDuration(text, "--interval", 0.2),
    )
    .option("--old-ttl <duration>", "the TTL of what was there before, where that is gone already", (text) =>
      readDuration(text, "--old-ttl"),
    )
    .action(async (name, type, values, options) =>
      finish(await (await import("./wait.ts")).runWait(name, type, values, options, tools)),
    );

  command(
    "explain",
    "put a record into words, term by term: SPF, DKIM, DMARC, MTA-STS, TLS-RPT, TLSA, CAA, BIMI, SRV",
  )
    .argument("[record...]", "the record's text; standard input where none is given")
    .action(async (record, options) =>
      finish(await (await import("./explain.ts")).runExplain(record, options, tools)),
    );

  command("lint", "find mistakes in a zone file, or in records pasted from elsewhere")
    .argument("[file]", "the zone file; standard input where none is given", "-")
    .option("--origin <domain>", "the zone that relative names belong to")
    .addOption(repeatable("--assume-public <cidr>", "count this network as public, for laboratories", "none"))
    .action(async (file, options) => finish(await (await import("./lint.ts")).runLint(file, options, tools)));

  command("import", "read records out of anything pasted, and find the mistakes in them")
    .argument("[file]", "the text; standard input where none is given", "-")
    .option("--domain <name>", "the domain that relative names and bare record texts belong to")
    .option("-s, --selector <name>", "the selector of a DKIM key that comes without its name")
    .addOption(
      new Option("-f, --format <format>", "how to print the records")
        .choices([...IMPORT_FORMATS])
        .default("zone"),
    )
    .addOption(
      new Option("--name-style <style>", "how a form names a record").choices([...NAME_STYLES]).default("at"),
    )
    .addOption(repeatable("--assume-public <cidr>", "count this network as public, for laboratories", "none"))
    .action(async (file, options) => finish(await runImport(file, options, tools)));

  const publish = program
    .command("publish")
    .description("bring the derived records into your zones, and nothing else");
  const onZone = (made: Command) =>
    addViewOptions(made)
      .option("-c, --config <file>", "the description", "zonepost.yaml")
      .option(
        "--state <dir>",
        "where the state of this machine lies (default: ZONEPOST_STATE, then the system's place)",
      )
      .addOption(repeatable("--allow <guard>", "insist, though a guard speaks against it", "none"));
  const changing = (made: Command) =>
    onZone(made)
      .option("-y, --yes", "do not ask")
      .option(
        "--look <seconds>",
        "how long to look for the changes at every name server",
        (text) => readInteger(text, "--look", 0, 86_400),
        60,
      );
  onZone(
    command("plan", "show what would change in your zones, what stays, and what speaks against it", publish),
  )
    .argument("[zone...]", "only these zones")
    .action(async (zones, options) =>
      finish(await (await import("./publish.ts")).runPlan(zones, options, tools)),
    );
  changing(command("apply", "carry the plan out, and look for it at every name server", publish))
    .argument("[zone...]", "only these zones")
    .option("--no-wait", "skip the waits between the steps")
    .action(async (zones, options) =>
      finish(await (await import("./publish.ts")).runApply(zones, options, tools)),
    );
  changing(command("undo", "take back what the last apply did", publish))
    .argument("<zone>")
    .action(async (zone, options) =>
      finish(await (await import("./publish.ts")).runUndo(zone, { wait: true, ...options }, tools)),
    );

  const tlsa = program.command("tlsa").description("DANE: the TLSA records of a mail host");
  addViewOptions(
    command(
      "next",
      "which TLSA records stand while the key changes, and when the certificate may come",
      tlsa,
    ),
  )
    .requiredOption("--host <name>", "the mail host: what the MX names")
    .requiredOption("--key <file>", "the next key, private or public, or a certificate with it, in PEM")
    .option("--current <file>", "the key that goes, or its certificate (default: what port 25 shows)")
    .option("--wait", "wait until the certificate with the next key may be deployed")
    .option(
      "--timeout <duration>",
      "give up waiting after this time",
      (text: string) => readDuration(text, "--timeout"),
      604_800,
    )
    .option(
      "--interval <duration>",
      "between two looks",
      (text: string) => readDuration(text, "--interval", 1),
      60,
    )
    .option("--publish", "write the records into the zone, as the description's publish entry says")
    .option("-c, --config <file>", "the description, for --publish", "zonepost.yaml")
    .option(
      "--state <dir>",
      "where the state of this machine lies (default: ZONEPOST_STATE, then the system's place)",
    )
    .option("--old-ttl <duration>", "the TTL of what was there before, where that is gone already", (text) =>
      readDuration(text, "--old-ttl"),
    )
    .option("--dns-only", "ask DNS alone: do not look at port 25")
    .option("--allow-private", "connect also to private and loopback addresses of the host")
    .addOption(repeatable("--assume-public <cidr>", "count this network as public, for laboratories", "none"))
    .addHelpText(
      "after",
      "Here 0: the certificate may be deployed, or is; 1: wait, or publish first; 2: trouble; 3: could not tell.",
    )
    .action(async (options) => finish(await (await import("./tlsa.ts")).runTlsaNext(options, tools)));

  const spf = program.command("spf").description("look into SPF records");
  addViewOptions(command("tree", "what every include costs, and where it leads", spf))
    .argument("<domain>")
    .action(async (domain, options) =>
      finish(await (await import("./spf.ts")).runSpfTree(domain, options, tools)),
    );
  addViewOptions(command("test", "evaluate SPF for one sender, as a receiver would", spf))
    .argument("<domain>")
    .requiredOption("--ip <address>", "where the mail comes from")
    .option(
      "--mail-from <address>",
      "the envelope sender; empty for a bounce (default: postmaster@ the domain)",
    )
    .option("--helo <name>", "the HELO name (default: the domain)")
    .action(async (domain, options) =>
      finish(await (await import("./spf.ts")).runSpfTest(domain, options, tools)),
    );

  addKeys(program, command, tools, finish);
  addMail(program, command, tools, finish);
  addMilter(program, command, tools, finish);
  const SETTINGS = "the server's settings (default: zonepost-server.yaml, where there is one)";
  const STATE = "where the state of this machine lies (default: ZONEPOST_STATE, then the system's place)";
  command("backup", "save the state in a new file, while others may write; the seal key is not in it")
    .argument("<file>", "the new file")
    .option("--state <dir>", STATE)
    .option("--settings <file>", SETTINGS)
    .action(async (file, options) =>
      finish(await (await import("./backup.ts")).runBackup(file, options, tools)),
    );
  command("restore", "put a backup in the place of the state; nothing else may have it open meanwhile")
    .argument("<file>", "what zonepost backup has written")
    .option("--state <dir>", STATE)
    .option("--settings <file>", SETTINGS)
    .action(async (file, options) =>
      finish(await (await import("./backup.ts")).runRestore(file, options, tools)),
    );
  const user = program.command("user").description("who may log in at the server");
  command("list", "the users, their roles, and what they come in by", user)
    .option("--state <dir>", STATE)
    .option("--settings <file>", SETTINGS)
    .action(async (options) => finish(await (await import("./user.ts")).runUserList(options, tools)));
  command(
    "reset",
    "a new password for who has lost theirs, or the phone with the codes; passkeys and tokens are taken away",
    user,
  )
    .argument("<name>")
    .option("--state <dir>", STATE)
    .option("--settings <file>", SETTINGS)
    .action(async (name, options) =>
      finish(await (await import("./user.ts")).runUserReset(name, options, tools)),
    );
  command("serve", "the server: the API, for browsers and programs")
    .option("--settings <file>", SETTINGS)
    .option("--state <directory>", "where the state lies")
    .addOption(
      new Option(
        "--demo",
        "a world to play with, on loopback alone: domains in every state, their name servers, weeks of history",
      ).conflicts(["settings", "state", "config"]),
    )
    .option(
      "-c, --config <file>",
      "a description (zonepost.yaml) that is the truth: read again on SIGHUP, and read-only in the API",
    )
    .option(
      "--allow-removed <count>",
      "exactly so many domains go at this start because the description no longer names them; asked for where they are more than 20, a tenth, or half of few",
    )
    .action(async (options) => finish(await (await import("./serve.ts")).runServe(options, tools)));

  const trap = program.command("trap").description("a last MX that takes no mail, to see who asks it first");
  command("listen", "listen as the trap, and write down who comes", trap)
    .requiredOption("--listen <ip:port>", "where to listen, as in 192.0.2.99:25")
    .requiredOption("--log <file>", "one line of JSON for each connection is added here")
    .option("--host <name>", "the name of the trap's MX, which it greets with")
    .action(async (options) => finish(await (await import("./trap.ts")).runTrapListen(options, tools)));
  command("evaluate", "tell who came to the trap without having tried a better server", trap)
    .addOption(repeatable("--trap-log <file>", "what the trap wrote", "needed"))
    .addOption(
      repeatable("--primary-log <file>", "Postfix' log of a better server, or lines of JSON", "needed"),
    )
    .addOption(
      repeatable(
        "--primary-down <from/to>",
        "the better server was down; as 2026-11-21T06:00:00Z/…",
        "never",
      ),
    )
    .option(
      "--window <duration>",
      "how long before a better server may have been tried",
      (text: string) => readDuration(text, "--window", 1),
      3600,
    )
    .option(
      "--quiet <duration>",
      "a better server to which nobody connects for longer may have been down",
      (text: string) => readDuration(text, "--quiet", 1),
      3600,
    )
    .option("--utc-offset <offset>", "of log times without a zone, as +01:00 (default: this machine's)")
    .action(async (options) => finish(await (await import("./trap.ts")).runTrapEvaluate(options, tools)));

  command("schema", "print the JSON Schema of the description, for editors").action(async () =>
    finish(await (await import("./records.ts")).runSchema(tools)),
  );

  command("tour", "see the main job done on name servers of its own, on loopback").action(async (options) =>
    finish(await (await import("./tour.ts")).runTour(options, tools)),
  );
  return program;
}

function addKeys(
  program: Command,
  command: (name: string, description: string, parent: Command) => Command,
  tools: Tools,
  finish: (code: ExitCode) => void,
): void {
  const keys = program
    .command("keys")
    .description("DKIM keys: made, proven in DNS, rotated without a gap, taken back");
  const sub = (name: string, description: string) =>
    command(name, description, keys).option(
      "--state <dir>",
      "where the keys lie (default: /var/lib/zonepost as root, else below ~/.local/state)",
    );
  const sealed = (made: Command) =>
    made.option(
      "--seal-key <file>",
      "what the private keys are sealed under (default: ZONEPOST_SEAL_KEY, the systemd credential zonepost-seal-key, then seal.key beside the keys)",
    );
  const bits = (text: string) => readInteger(text, "--bits", 1, 65_536);

  sealed(sub("generate", "make a key, and print the record to publish"))
    .argument("<domain...>")
    .option(
      "-s, --selector <template>",
      "the selector: a word, or with {yyyy}, {mm} and {dd}; where it is taken, with -2",
      "default",
    )
    .option("--algorithm <name>", "rsa or ed25519", "rsa")
    .option("--bits <number>", "of RSA keys: 2048, 3072 or 4096 (default: 2048)", bits)
    .action(async (domains, options) =>
      finish(await (await import("./keys.ts")).runKeysGenerate(domains, options, tools)),
    );
  sub("list", "the keys, and the state of each")
    .argument("[domain...]")
    .action(async (domains, options) =>
      finish(await (await import("./keys.ts")).runKeysList(domains, options, tools)),
    );
  sealed(sub("show", "a key's record in every shape that forms and programs want"))
    .argument("<domain>")
    .option("-s, --selector <name>", "which key, where there are several")
    .option("--private", "print the private key too")
    .action(async (domain, options) =>
      finish(await (await import("./keys.ts")).runKeysShow(domain, options, tools)),
    );
  addViewOptions(sub("test", "hold the keys against what every name server shows"))
    .argument("[domain...]")
    .option("-s, --selector <name>", "only this key")
    .action(async (domains, options) =>
      finish(await (await import("./keys-dns.ts")).runKeysTest(domains, options, tools)),
    );
  addViewOptions(
    sealed(sub("rotate", "look at DNS, and take or name the next step from one key to the next")),
  )
    .argument("[domain...]")
    .option("--begin", "make a successor for each key that signs, and begin")
    .option("-s, --selector <template>", "with --begin: its selector (default: {yyyy}{mm})")
    .option("--bits <number>", "with --begin: of RSA keys", bits)
    .option(
      "--publish",
      "carry out what is to be published, emptied or taken away, where the description says who holds the zone",
    )
    .option("-c, --config <file>", "with --publish: the description", "zonepost.yaml")
    .action(async (domains, options) =>
      finish(await (await import("./keys-dns.ts")).runKeysRotate(domains, options, tools)),
    );
  for (const [name, how, description] of [
    ["retire", "retired", "a key never signs again, and stays published for the mail that is under way"],
    ["revoke", "revoked", "a key must not count any more: it never signs again, and its record goes at once"],
  ] as const) {
    sub(name, description)
      .argument("<domain>")
      .option("-s, --selector <name>", "which key, where there are several")
      .option("--yes", "do not ask, though the key signs now")
      .action(async (domain, options) =>
        finish(await (await import("./keys.ts")).runKeysBar(how, domain, options, tools)),
      );
  }
  sealed(sub("import", "take private keys over, from files or from the configuration of a signing program"))
    .argument(
      "<path...>",
      "a key, a folder of keys (as in example.org/default.private), or opendkim.conf, dkim_signing.conf, amavisd.conf, dkimpy-milter.conf",
    )
    .option("--domain <name>", "whose keys they are, where their names do not say")
    .option("-s, --selector <name>", "their selector, where their names do not say")
    .action(async (paths, options) =>
      finish(await (await import("./keys-files.ts")).runKeysImport(paths, options, tools)),
    );
  sealed(sub("export", "write the keys that sign as a signing program wants them"))
    .argument("[domain...]")
    .addOption(
      new Option("-f, --format <format>", "for which program")
        .choices([...EXPORT_FORMATS])
        .makeOptionMandatory(),
    )
    .requiredOption("-o, --output <folder>", "where to write")
    .option("--installed-at <folder>", "where the files will lie (default: the output folder)")
    .option("-s, --selector <name>", "this key, though it may not sign yet")
    .option("--force", "overwrite what is there")
    .action(async (domains, options) =>
      finish(await (await import("./keys-files.ts")).runKeysExport(domains, options, tools)),
    );
  sealed(sub("reseal", "seal everything under a new seal key; stop the servers of this state before"))
    .option("--new-seal-key <file>", "the new one; made where there is none (default: seal.key.new)")
    .option("--old-seal-key <file...>", "more old ones, where some is sealed under each")
    .action(async (options) => finish(await (await import("./keys.ts")).runKeysReseal(options, tools)));
}
