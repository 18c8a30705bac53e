/**
 * `zonepost tour`: the main job, done on name servers of its own. Every packet is real; all of them stay on
 * loopback.
 */
import { checkDomain } from "../../check/check.ts";
import type { CheckOptions } from "../../check/context.ts";
import type { DomainReport } from "../../check/finding.ts";
import { derive } from "../../records/derive.ts";
import { parseDescription } from "../../records/description.ts";
import { formFields } from "../../records/form.ts";
import { LISTING_TTL_SECONDS } from "../../records/zone-listing.ts";
import { parseNetwork } from "../../standards/dns/address.ts";
import { formatRdata } from "../../standards/dns/rdata-text.ts";
import { type ResourceRecord, typeOf } from "../../standards/dns/record.ts";
import { parseZoneText } from "../../standards/dns/zone-text.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { reportText } from "./report-text.ts";
import { table } from "./terminal.ts";
import type { NameServerHandle, Tools } from "./tools.ts";
import {
  FOREIGN_RECORDS,
  MISTAKES,
  ROOT_ADDRESS,
  TOUR_DESCRIPTION,
  TOUR_DOMAIN,
  tourZones,
  withMistakes,
} from "./tour-world.ts";

export async function runTour({ json }: { readonly json?: boolean }, tools: Tools): Promise<ExitCode> {
  const parsed = parseDescription(TOUR_DESCRIPTION);
  if (!parsed.ok) throw new TypeError(`the tour's description: ${parsed.problems[0]?.problem}`);
  const { description } = parsed;
  const derived = derive(description);
  const right = [...derived.records.map(({ record }) => record), ...FOREIGN_RECORDS];
  const options: CheckOptions = {
    description,
    derived,
    dkimSelectors: [],
    assumePublic: LABORATORY_NETWORKS,
  };
  const say = (text: string) => {
    if (!json) tools.terminal.out(`${text}\n`);
  };
  const { style } = tools.terminal;

  say(chapter(1, "The description: your servers and domains", tools));
  say(
    TOUR_DESCRIPTION.replace(/(publicKey: \S{24})\S+/, "$1…")
      .trimEnd()
      .replace(/^/gm, "    "),
  );
  say(chapter(2, `From it, every record: ${derived.records.length} of them, each with its reason`, tools));
  say(
    recordTable(
      derived.records.map(({ record }) => record),
      tools,
    ).replace(/^/gm, "    "),
  );

  let zone = withMistakes(right);
  const laboratory = await startLaboratory(zone, tools);
  try {
    say(chapter(3, `Somebody types them in by hand, and makes three mistakes`, tools));
    for (const mistake of MISTAKES) say(`    ${style.red("✗")} ${mistake}`);
    say(chapter(4, "What the world sees: root, parent and two name servers answer on loopback", tools));
    const before = await laboratory.check(options);
    say(
      `${reportText(before.report, { showFine: false, hideNotices: true }, tools.terminal)}${statistics(before, tools)}`,
    );

    zone = applyFixes(zone, before.report);
    laboratory.publish(zone);
    const changes = new Set(fixesOf(before.report).map(({ action, zoneText }) => `${action} ${zoneText}`))
      .size;
    say(
      chapter(5, `The fixes above, applied as they stand: ${changes} changes; what is not ours stays`, tools),
    );
    const after = await laboratory.check(options);
    say(
      `${reportText(after.report, { showFine: false, hideNotices: true }, tools.terminal)}${statistics(after, tools)}`,
    );
    if (json)
      tools.terminal.out(
        `${JSON.stringify({ description: TOUR_DESCRIPTION, before: before.report, after: after.report }, null, 2)}\n`,
      );
    say(closing(tools));
    return after.report.summary.errors === 0 ? EXIT.ok : EXIT.errors;
  } finally {
    await laboratory.close();
  }
}

const LABORATORY_NETWORKS = ["192.0.2.0/24", "2001:db8::/32"].map((text) => {
  const network = parseNetwork(text);
  if (!network.ok) throw new TypeError(network.problem);
  return network.value;
});

function chapter(number: number, title: string, { terminal: { style } }: Tools): string {
  return `\n${style.bold(style.blue(`${number}  ${title}`))}\n`;
}

function recordTable(records: readonly ResourceRecord[], { terminal }: Tools): string {
  const room = terminal.columns - 60;
  const rows = records.map((record) => {
    const { type, name, priority, value } = formFields(record, TOUR_DOMAIN);
    const data = priority === undefined ? value : `${priority} ${value}`;
    return [type, shorten(name, 44), shorten(data, room)];
  });
  return table(["TYPE", "NAME", "VALUE"], rows, terminal.style);
}

const shorten = (text: string, room: number) => (text.length > room ? `${text.slice(0, room - 1)}…` : text);

interface Looked {
  readonly report: DomainReport;
  readonly queries: number;
  readonly milliseconds: number;
}

function statistics({ queries, milliseconds }: Looked, { terminal: { style } }: Tools): string {
  return style.dim(`${queries} DNS queries, ${milliseconds} ms`);
}

const fixesOf = ({ findings }: DomainReport) => findings.flatMap(({ fix }) => fix?.changes ?? []);

/** Each finding's fix as it stands, read from the zone text that it shows. */
function applyFixes(records: readonly ResourceRecord[], report: DomainReport): ResourceRecord[] {
  const key = (record: ResourceRecord) => `${record.name} ${typeOf(record.data)} ${formatRdata(record.data)}`;
  const zone = new Map(records.map((record) => [key(record), record]));
  for (const { action, zoneText } of fixesOf(report)) {
    for (const record of parseZoneText(zoneText, { defaultTtlSeconds: LISTING_TTL_SECONDS }).records) {
      if (action === "delete") zone.delete(key(record));
      else zone.set(key(record), record);
    }
  }
  return [...zone.values()];
}

async function startLaboratory(records: readonly ResourceRecord[], tools: Tools) {
  const servers: NameServerHandle[] = [];
  let port = 0;
  for (const { address, zones } of tourZones(records)) {
    const server = await tools.startNameServer(zones, address, port);
    port = server.port;
    servers.push(server);
  }
  const rootHints = `. NS root.example.org.\nroot.example.org. A ${ROOT_ADDRESS}\n`;
  return {
    async check(options: CheckOptions): Promise<Looked> {
      const asked = () => servers.reduce((sum, { queryCount }) => sum + queryCount, 0);
      const [queriesBefore, start] = [asked(), tools.now().getTime()];
      const { world, close } = await tools.openWorld({ rootHints, resolvers: [], port });
      try {
        const report = await checkDomain(TOUR_DOMAIN, world, options);
        return {
          report,
          queries: asked() - queriesBefore,
          milliseconds: tools.now().getTime() - start,
        };
      } finally {
        await close();
      }
    },
    publish(changed: readonly ResourceRecord[]): void {
      for (const [at, { zones }] of tourZones(changed).entries()) servers[at]!.replaceZones(zones);
    },
    async close(): Promise<void> {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

function closing({ terminal: { style } }: Tools): string {
  return [
    "",
    style.bold("Now yours:"),
    "",
    `    npm run zonepost -- init                 ${style.dim("describe your server and domains")}`,
    `    npm run zonepost -- records              ${style.dim("every record they need")}`,
    `    npm run zonepost -- check your-domain    ${style.dim("what the world sees")}`,
  ].join("\n");
}
