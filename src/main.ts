#!/usr/bin/env node
/** Wiring only: hands the commands the real world. What is long, or wanted by few commands, stands in main/. */
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { runCli } from "./interface/cli/program.ts";
import { createStyle, wantsColours } from "./interface/cli/terminal.ts";
import { generateDkimKeyPair } from "./keys/generate.ts";
import { openHolders } from "./main/holders.ts";
import { heloName, startMailSink } from "./main/mail.ts";
import { ask, askSecret, listFiles, onReload, readStdinOctets, untilInterrupted } from "./main/process.ts";
import { openState, restoreState, writePrivateFile } from "./main/state.ts";
import { openWorld, registrableDomain } from "./main/world.ts";
import { openProvider } from "./main/zone-provider.ts";
import { startDnsServer } from "./net/dns-server.ts";
import { createLocalSubmission, createMailSubmission } from "./net/mail-submission.ts";
import { isCrewMember } from "./net/milter-workers.ts";
import { startTrapListener } from "./net/trap-listener.ts";

// A reader that has seen enough (`| head`) ends the program without a word, as other programs do.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

process.exitCode = await runCli(process.argv.slice(2), {
  terminal: {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    isInteractive: process.stderr.isTTY === true,
    outIsScreen: process.stdout.isTTY === true,
    style: createStyle(wantsColours(process.env, process.stdout.isTTY === true)),
    columns: Math.min(process.stdout.columns ?? 100, 120),
  },
  environment: process.env,
  now: () => new Date(),
  sleep: (milliseconds) => sleep(milliseconds),
  readFile: (path) => readFileSync(path, "utf8"),
  fileExists: existsSync,
  writeFile: (path, content, { overwrite }) => writeFileSync(path, content, { flag: overwrite ? "w" : "wx" }),
  appendFile: (path, content) => appendFileSync(path, content),
  readOctets: (path) => readFileSync(path),
  writePrivateFile,
  listFiles,
  randomOctets: (count) => randomBytes(count),
  holders: openHolders(),
  makeKeyPair: generateDkimKeyPair,
  readStdin: () => readAll(process.stdin),
  readStdinOctets,
  outOctets: (octets) => process.stdout.write(octets),
  ask: process.stdin.isTTY ? ask : undefined,
  organizationalDomain: registrableDomain,
  isAdministrator: process.getuid?.() === 0,
  openState,
  restoreState,
  openProvider,
  openWorld,
  startNameServer: (zones, address, port) => startDnsServer({ zones, address, port }),
  startTrap: (settings) => startTrapListener({ ...settings, now: () => new Date() }),
  startMailSink,
  openSubmission: (via) =>
    via.host === undefined
      ? createLocalSubmission(via.program)
      : createMailSubmission({ ...via, heloName: heloName() }),
  askSecret: process.stdin.isTTY ? askSecret : undefined,
  untilInterrupted,
  onReload,
  // Loaded for those alone that want them.
  serveMilter: async (job) => (await import("./main/milter.ts")).serveMilter(job),
  async startServer(job) {
    // What is compiled once is there at the next start: in a folder that nobody else writes into.
    if (job.directory !== undefined && existsSync(job.directory))
      enableCompileCache(join(job.directory, "compiled"));
    return (await import("./main/server.ts")).startServer(job);
  },
});

// The line to the first process would keep this one for ever.
if (isCrewMember()) process.exit();
