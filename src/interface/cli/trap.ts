/** `zonepost trap`: the mail server that nobody has a reason to ask, and what its log tells (R12). */
import {
  evaluateTrap,
  formatContact,
  type LogClock,
  type Outage,
  type ReadLog,
  readContactLog,
  type TrapReport,
} from "../../check/mx-trap.ts";
import { readDomain, readFileNamed, readListenAddress, readTime } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { table, visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";

export interface TrapListenOptions {
  readonly listen: string;
  readonly log: string;
  readonly host?: string;
  readonly json?: boolean;
}

const SAFETY = [
  "The trap is for watching, and a real sender may come here too: whenever the better mail servers are out of reach. It is told to come again (4xx), and nothing is lost.",
  "Publish the trap's MX only while this runs: its name needs an address, and the port has to be open to everybody, or closed. A port that swallows packets makes senders wait.",
  "Never let this host take the mail of the domain, and never refuse it for good (5xx): what comes here by right would be lost.",
];

export async function runTrapListen(options: TrapListenOptions, tools: Tools): Promise<ExitCode> {
  const { address, port } = readListenAddress(options.listen, "--listen");
  const { terminal } = tools;
  const hostName = options.host === undefined ? "localhost" : readDomain(options.host);
  const write = (content: string): string | undefined => {
    try {
      tools.appendFile(options.log, content);
      return undefined;
    } catch (error) {
      return `cannot write to ${options.log}: ${(error as Error).message}`;
    }
  };
  const problem = write("");
  if (problem !== undefined) throw new UsageError(problem);
  const trap = await tools
    .startTrap({
      address,
      port,
      hostName,
      // A full disk is no reason to stop answering: a port that is closed of a sudden helps nobody.
      onContact: (contact) => {
        const failure = write(`${formatContact(contact)}\n`);
        if (failure !== undefined) terminal.err(`zonepost: ${failure}\n`);
      },
    })
    .catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`cannot listen on ${options.listen}: ${reasonOf(error)}`);
    });
  try {
    terminal.out(
      options.json
        ? `${JSON.stringify({ address, port: trap.port, host: hostName, log: options.log, safety: SAFETY })}\n`
        : [
            `Listening on ${address}, port ${trap.port}; who comes is written to ${visible(options.log)}.`,
            ...SAFETY.map((sentence) => wrap(sentence, terminal.columns, "  ")),
            "",
          ].join("\n"),
    );
    await tools.untilInterrupted();
  } finally {
    await trap.close();
  }
  return EXIT.ok;
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === "EADDRINUSE") return "another program listens there already";
  if (code === "EACCES") return "ports below 1024 are for root, or for a program with CAP_NET_BIND_SERVICE";
  return code === "EADDRNOTAVAIL" ? "this machine does not have the address" : message;
}

export interface TrapEvaluateOptions {
  readonly primaryLog: readonly string[];
  readonly trapLog: readonly string[];
  readonly primaryDown: readonly string[];
  /** In seconds. */
  readonly window: number;
  readonly quiet: number;
  readonly utcOffset?: string;
  readonly json?: boolean;
}

export function runTrapEvaluate(options: TrapEvaluateOptions, tools: Tools): ExitCode {
  if (options.trapLog.length === 0) throw new UsageError("name the log of the trap with --trap-log");
  if (options.primaryLog.length === 0) {
    throw new UsageError("name the log of the better mail server with --primary-log");
  }
  const now = tools.now();
  const clock: LogClock = {
    now,
    utcOffsetMinutes:
      options.utcOffset === undefined ? -now.getTimezoneOffset() : readOffset(options.utcOffset),
  };
  const trap = readLogs(options.trapLog, clock, tools);
  const primary = readLogs(options.primaryLog, clock, tools);
  const report = evaluateTrap(trap.contacts, primary.contacts, {
    windowSeconds: options.window,
    quietSeconds: options.quiet,
    outages: options.primaryDown.map(readOutage),
  });
  tools.terminal.out(options.json ? `${JSON.stringify(report, null, 2)}\n` : trapText(report, tools));
  if (report.suspicious.length > 0) return EXIT.warnings;
  const { quiet } = report.counts;
  return quiet + report.counts["not-covered"] > 0 ? EXIT.unknown : EXIT.ok;
}

function readLogs(paths: readonly string[], clock: LogClock, tools: Tools): ReadLog {
  const logs = paths.map((path) => {
    const log = readContactLog(readFileNamed(path, tools), clock);
    const [first] = log.unreadable;
    if (first !== undefined) {
      const more = log.unreadable.length > 1 ? `, and ${log.unreadable.length - 1} more like it` : "";
      tools.terminal.err(`zonepost: ${path}:${first}: no connection can be read from this line${more}\n`);
    }
    if (log.contacts.length === 0) tools.terminal.err(`zonepost: ${path} tells of no connection\n`);
    return log;
  });
  return {
    contacts: logs.flatMap(({ contacts }) => contacts),
    unreadable: logs.flatMap(({ unreadable }) => unreadable),
  };
}

function readOutage(text: string): Outage {
  const [from = "", to = "", ...more] = text.split("/");
  if (more.length > 0 || to === "") {
    throw new UsageError(
      `--primary-down takes two times, as in 2026-11-21T06:00:00Z/2026-11-21T07:30:00Z, not "${text}"`,
    );
  }
  const outage = { from: readTime(from, "--primary-down"), to: readTime(to, "--primary-down") };
  if (outage.from > outage.to) throw new UsageError(`--primary-down ${text} ends before it begins`);
  return outage;
}

/** "+01:00" */
function readOffset(text: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(text) ?? [];
  if (hours === undefined) throw new UsageError(`--utc-offset takes an offset as in +01:00, not "${text}"`);
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

function trapText({ counts, suspicious }: TrapReport, { terminal }: Tools): string {
  const { style } = terminal;
  const time = (at: Date) => at.toISOString().slice(0, 19).replace("T", " ");
  const rows = suspicious.map(({ client, helos, contacts, first, last }) => [
    client,
    String(contacts),
    time(first),
    time(last),
    visible(helos.join(" ")).slice(0, 200),
  ]);
  const came = (count: number) => (count === 1 ? "1 connection" : `${count} connections`);
  const untold = [
    counts["primary-down"] > 0 ? `${came(counts["primary-down"])} while a better server was down` : undefined,
    counts.quiet > 0
      ? `${came(counts.quiet)} while nobody at all came to a better server: it may have been down`
      : undefined,
    counts["not-covered"] > 0
      ? `${came(counts["not-covered"])} at a time of which the better server's log does not tell`
      : undefined,
  ].filter((part) => part !== undefined);
  const verdict =
    suspicious.length === 0
      ? style.green("Nobody came to the trap alone.")
      : style.yellow(
          `${suspicious.length === 1 ? "1 client" : `${suspicious.length} clients`} came to the trap without having tried a better server first:`,
        );
  return [
    verdict,
    ...(rows.length > 0
      ? ["", table(["CLIENT", "TIMES", "FIRST (UTC)", "LAST (UTC)", "HELO"], rows, style)]
      : []),
    ...(untold.length > 0 ? ["", style.dim("Nothing is said of"), ...untold.map((part) => `  ${part}`)] : []),
    "",
    style.dim(`${came(counts.tried)} of clients that had tried a better server, as they should.`),
    "",
  ].join("\n");
}
