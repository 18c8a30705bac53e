/** The transcripts in examples/: each command in them is run again, in a world of its own or in none. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { BROKEN_SERVERS, HEALTHY_SERVERS } from "./broken-servers.ts";
import { zonepost } from "./cli.ts";
import { EXAMPLE_MAIL_ZONE } from "./example-mails.ts";
import { type PublishLaboratory, publishLaboratory } from "./publish-laboratory.ts";
import { type ProbeRows, tableProber } from "./table-prober.ts";
import { edited, tableWorld, type WorldRows } from "./table-world.ts";

export interface TranscriptWorld {
  readonly rows: WorldRows;
  readonly probes?: ProbeRows;
  /** A zone that commands publish into; then `rows` are what stands outside of it. */
  readonly zone?: string;
}

/** The world of a row of the broken servers. */
function brokenServer(why: string): TranscriptWorld {
  const row = BROKEN_SERVERS.find((one) => one.why.includes(why));
  if (row === undefined) throw new Error(`no world "${why}"`);
  return row;
}

/** By the name that a transcript gives in `<!-- world: … -->`. */
export const TRANSCRIPT_WORLDS: Readonly<Record<string, TranscriptWorld>> = {
  healthy: { rows: { zone: HEALTHY_SERVERS } },
  "renewed certificate": brokenServer("struggle 15"),
  "policy without the MX": brokenServer("an MX that the enforced policy does not name"),
  "a zone with records of others": {
    rows: { zone: 'ns1.example.net. A 198.51.100.53\n_spf.example.net. TXT "v=spf1 ip4:198.51.100.7 -all"' },
    zone: `example.org. SOA ns1.example.net. hostmaster.example.org. 1 7200 900 1209600 300
example.org. NS ns1.example.net.
example.org. A 192.0.2.80
www.example.org. CNAME example.org.
example.org. TXT "some-site-verification=0123456789"
example.org. TXT "v=spf1 include:_spf.example.net -all"`,
  },
  "saved mails": { rows: { zone: EXAMPLE_MAIL_ZONE } },
  "two mistakes": {
    rows: {
      zone: edited(HEALTHY_SERVERS, {
        without: ["example.org TXT", "_dmarc.example.org TXT"],
        add: [
          'example.org. TXT "v=spf1 mx ip4:192.0.2.25/33 -all"',
          '_dmarc.example.org. TXT "v=DMARC1; p=none;;; fo=1; rf=afrf; sp=none"',
        ],
      }),
    },
  },
};

const EXAMPLES = join(import.meta.dirname, "../../examples");

function exampleFiles(folder = EXAMPLES): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return Object.entries(exampleFiles(path));
      return [[join("examples", relative(EXAMPLES, path)), readFileSync(path, "utf8")]];
    }),
  );
}

/** The text with the output of every command as it is today. */
export async function rerun(text: string): Promise<string> {
  const parts: string[] = [];
  let worldName: string | undefined;
  let laboratory: PublishLaboratory | undefined;
  let at = 0;
  for (const match of text.matchAll(/<!-- world: (.*?) -->|```console\n\$ (.*)\n[\s\S]*?```/g)) {
    const [whole, name, command] = match;
    parts.push(text.slice(at, match.index));
    at = match.index + whole.length;
    if (name !== undefined) {
      worldName = name;
      const { zone, rows } = TRANSCRIPT_WORLDS[name] ?? {};
      laboratory = zone === undefined ? undefined : publishLaboratory(zone, rows?.zone ?? "");
    }
    parts.push(
      command === undefined
        ? whole
        : `\`\`\`console\n$ ${command}\n${await run(command, worldName, laboratory)}\`\`\``,
    );
  }
  return [...parts, text.slice(at)].join("");
}

async function run(
  command: string,
  worldName: string | undefined,
  laboratory: PublishLaboratory | undefined,
): Promise<string> {
  const world = worldName === undefined ? undefined : TRANSCRIPT_WORLDS[worldName];
  if (worldName !== undefined && world === undefined) throw new Error(`there is no world "${worldName}"`);
  const { words, stdinFile } = readCommand(command);
  const files = exampleFiles();
  const { out, err, exitCode } = await zonepost(words, {
    files,
    columns: 90,
    ...(stdinFile !== undefined && { stdin: files[stdinFile] ?? "" }),
    environment: { HOME: "/home/me" },
    ...(laboratory && { tools: laboratory.tools }),
    ...(world &&
      !laboratory && {
        tools: {
          organizationalDomain: tableWorld(world.rows).organizationalDomain,
          openWorld: async ({ probes }) => ({
            world: { ...tableWorld(world.rows), ...(probes && { prober: tableProber(world.probes) }) },
            queriesSent: () => 0,
            close: async () => undefined,
          }),
        },
      }),
  });
  const end = exitCode === 0 ? "" : `(exit code ${exitCode})\n`;
  return `${out}${err}`.replace(/\n*$/, "\n") + end;
}

/** `zonepost check a b < file`; words are divided by blanks, single quotes hold one together. */
function readCommand(command: string): { words: readonly string[]; stdinFile?: string } {
  const all = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  if (all[0] !== "zonepost") throw new Error(`a transcript runs zonepost, not "${all[0]}"`);
  const redirect = all.indexOf("<");
  if (redirect < 0) return { words: all.slice(1) };
  return { words: all.slice(1, redirect), stdinFile: all[redirect + 1]! };
}
