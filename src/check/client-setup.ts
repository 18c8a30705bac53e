/** What mail programs look up: SRV records, autoconfig, autodiscover. */
import { CLIENT_SERVICES, remarksOnSrv, remarksOnSrvSet } from "../standards/client-setup/srv.ts";
import { type DomainName, labelTexts, prepend, ROOT } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import type { RdataOf, ResourceRecord } from "../standards/dns/record.ts";
import type { Context } from "./context.ts";
import { type Finding, proposed } from "./finding.ts";

export async function checkClientSetup(context: Context): Promise<Finding[]> {
  const parent = prepend("_tcp", context.domain);
  // RFC 8020: where nothing stands below _tcp, one answer tells it for all services.
  const top = await context.lookup(parent, "SRV");
  if (top.status === "absent" && top.kind === "nxdomain") return [];
  const owners = CLIENT_SERVICES.map(({ srvName }) => ({
    srvName,
    owner: prepend(`${srvName}._tcp`, context.domain),
  }));
  const asked = owners.filter(({ srvName, owner }) => USUAL.has(srvName) || context.isDerived(owner));
  return (await Promise.all(asked.map(({ owner }) => serviceFindings(owner, context)))).flat();
}

/** What mail programs and XMPP look up first; other services are asked for where the description has them. */
const USUAL: ReadonlySet<string> = new Set([
  "_submissions",
  "_submission",
  "_imaps",
  "_imap",
  "_pop3s",
  "_pop3",
  "_autodiscover",
  "_xmpp-client",
  "_xmpp-server",
]);

/** More servers for one service than any real domain has. */
const MAX_RECORDS = 16;

async function serviceFindings(owner: DomainName, context: Context): Promise<Finding[]> {
  const answer = await context.lookup(owner, "SRV");
  if (answer.status === "unknown") return [context.unknown(owner, "SRV", answer)];
  if (answer.status === "absent") return [];
  const records = answer.records.slice(0, MAX_RECORDS);
  const text = records.map(({ data }) => formatRdata(data)).join(", ");
  const ofSet = remarksOnSrvSet(records.map(({ data }) => data)).map((remark) =>
    context.remark(remark, { owner, text, verify: "SRV" }),
  );
  return [...ofSet, ...(await Promise.all(records.map((record) => recordFindings(record, context)))).flat()];
}

async function recordFindings(record: ResourceRecord<RdataOf<"SRV">>, context: Context): Promise<Finding[]> {
  const { name: owner, data } = record;
  const text = formatRdata(data);
  const remarks = remarksOnSrv(owner, data).map((remark) =>
    context.remark(remark, { owner, text, verify: "SRV" }),
  );
  const isNamed = data.target !== ROOT && !remarks.some(({ code }) => code.startsWith("srv-target-"));
  const findings = [...remarks, ...(isNamed ? await targetFindings(record, context) : [])];
  if (findings.every(({ severity }) => severity === "notice")) {
    findings.push(
      context.finding("srv-ok", {
        owner,
        observed: `${labelTexts(owner)[0]} at ${data.target}, port ${data.port}`,
        verify: "SRV",
      }),
    );
  }
  return findings;
}

/** RFC 2782: the target has addresses, and is no alias. */
async function targetFindings(record: ResourceRecord<RdataOf<"SRV">>, context: Context): Promise<Finding[]> {
  const { name: owner, data } = record;
  const answers = await Promise.all([context.lookup(data.target, "A"), context.lookup(data.target, "AAAA")]);
  const found = answers.find((answer) => answer.status === "found");
  const aliased = answers.some((answer) => answer.status !== "unknown" && answer.aliases.length > 0);
  if (aliased) {
    const target = found?.status === "found" ? found.canonicalName : undefined;
    return [
      context.finding("srv-target-is-alias", {
        owner,
        subject: data.target,
        observed: `${data.target} is a CNAME${target ? ` for ${target}` : ""}`,
        verify: "SRV",
        fix: target
          ? await context.fix(`Name ${target} itself.`, {
              remove: [record],
              create: [{ ...proposed(owner, { ...data, target }), ttlSeconds: record.ttlSeconds }],
            })
          : null,
      }),
    ];
  }
  if (found !== undefined) return [];
  const [ipv4, ipv6] = answers;
  const untold = context.untold(data.target, ["A", ipv4], ["AAAA", ipv6]);
  if (untold.length > 0) return untold;
  return [
    context.finding("srv-target-no-address", {
      owner,
      subject: data.target,
      observed: `${data.target} has neither A nor AAAA`,
      verify: "SRV",
    }),
  ];
}
