/** A DNS server that takes dynamic updates (RFC 2136) and gives its zones away (RFC 5936), as a provider. */
import { RCODES, rcodeName } from "../../standards/dns/message.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import type { RecordType } from "../../standards/dns/record.ts";
import type { TsigRefusal } from "../../standards/dns/tsig.ts";
import { updateMessage, updateOutcome } from "../../standards/dns/update.ts";
import type { DnsUpdateClient, Unanswered, UnverifiedReply } from "../dns-update-client.ts";
import type {
  ApplyOutcome,
  FailureCause,
  Provider,
  ProviderFailure,
  ReadOutcome,
  RrsetChange,
  ZoneContent,
} from "../provider.ts";
import { groupRrsets, MADE_BY_SERVERS, staleChanges } from "../rrset.ts";

/**
 * All changes of one call are one update: they happen together or not at all, and only where every RRset still has the
 * data that the change takes it to have. A change of the TTL alone is not guarded, and done again where it is done
 * already: prerequisites know no TTL.
 *
 * `applied` is the server's word. Servers skip what they do not like and say NOERROR: BIND and Knot a CNAME beside
 * other records (asked for beforehand here, unless the same call takes records of that name away), all of them the last
 * NS of a zone. So the zone has to be read again, from each of its servers.
 */
export function createRfc2136Provider(client: DnsUpdateClient): Provider {
  return {
    id: "rfc2136",
    title: `dynamic updates to ${client.server}`,
    capabilities: { lacksTypes: [], nullTargets: true, atomic: "call", compareAndSwap: "server" },
    readZone: (zone) => readZone(zone, client),
    apply: (zone, changes) => apply(zone, changes, client),
    tryWriting: async (zone) => {
      const outcome = await update(zone, [], client);
      if (outcome.status === "interrupted") return outcome.failure;
      return outcome.status === "failed" ? outcome : undefined;
    },
  };
}

async function readZone(zone: DomainName, client: DnsUpdateClient): Promise<ReadOutcome> {
  const outcome = await client.transfer(zone);
  switch (outcome.status) {
    case "transferred": {
      const [soa, ...records] = outcome.records;
      const rrsets = groupRrsets(records).filter(({ type }) => !MADE_BY_SERVERS.has(type));
      const serial = soa?.data.type === "SOA" ? { serial: soa.data.serial } : {};
      return { status: "read", content: { zone, rrsets, ...serial } };
    }
    case "denied":
      return transferDenied(zone, outcome.rcode, client);
    default:
      return failureOf(outcome, zone, client);
  }
}

async function apply(
  zone: DomainName,
  changes: readonly RrsetChange[],
  client: DnsUpdateClient,
): Promise<ApplyOutcome> {
  return changes.length === 0 ? { status: "applied" } : update(zone, changes, client);
}

/** Without changes it asks for leave alone. */
async function update(
  zone: DomainName,
  changes: readonly RrsetChange[],
  client: DnsUpdateClient,
): Promise<ApplyOutcome> {
  const message = updateMessage(0, zone, changes);
  if (!message.ok) return failed("refused", `${message.problem}.`);
  let outcome: Awaited<ReturnType<DnsUpdateClient["exchange"]>>;
  try {
    outcome = await client.exchange(message.value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return failed(
      "refused",
      `The changes do not fit into one update: ${error.message}. Make fewer at a time.`,
    );
  }
  if (outcome.status !== "answered") {
    const failure = await failureOf(outcome, zone, client);
    return mayHaveHappened(outcome) ? { status: "interrupted", applied: [], failure } : failure;
  }
  const { rcode } = outcome.message;
  const result = updateOutcome(rcode);
  switch (result) {
    case "done":
      return { status: "applied" };
    case "stale":
      return whatIsStale(zone, changes, rcode, client);
    case "refused":
      return client.keyName === undefined
        ? zoneOrKey(zone, rcode, client)
        : failed(
            "refused",
            `${client.server} refuses the update: its policy does not let ${keyText(client)} change these records, or it does not take one of them.`,
          );
    case "not-its-zone":
      return zoneOrKey(zone, rcode, client);
    case "not-understood":
      return failed("refused", `${client.server} does not do this update (${rcodeName(rcode)}).`);
    case "server-failed":
      return failed("provider-error", `${client.server} failed (${rcodeName(rcode)}); nothing was changed.`);
    default:
      return result satisfies never;
  }
}

/** The server says that something is not as planned, and not what: the zone as it is now tells. */
async function whatIsStale(
  zone: DomainName,
  changes: readonly RrsetChange[],
  rcode: number,
  client: DnsUpdateClient,
): Promise<ApplyOutcome> {
  const reading = await readZone(zone, client);
  const said = `${client.server} changed nothing (${rcodeName(rcode)})`;
  if (reading.status === "failed") {
    const detail = `${said}: something is no longer as planned. What it is cannot be told: ${reading.detail}`;
    return { status: "stale", changes, detail };
  }
  const stale = staleChanges(reading.content, changes);
  if (stale.length > 0) {
    const which = stale.map(({ name, type }) => `${name} ${type}`).join(", ");
    return { status: "stale", changes: stale, detail: `${said}: no longer as planned: ${which}.` };
  }
  const collision = aliasCollision(reading.content, changes);
  if (collision !== undefined) return failed("refused", `${said}: ${collision}.`);
  return { status: "stale", changes, detail: `${said}: something was different for a moment. Plan anew.` };
}

/** A CNAME that would stand beside other records (RFC 1034 §3.6.2). */
function aliasCollision(content: ZoneContent, changes: readonly RrsetChange[]): string | undefined {
  const isChanged = (name: DomainName, type: RecordType) =>
    changes.some((change) => change.name === name && change.type === type);
  for (const { name, type, after } of changes) {
    if (after === undefined) continue;
    const beside = content.rrsets.find(
      (rrset) =>
        rrset.name === name &&
        (type === "CNAME" ? rrset.type !== "CNAME" : rrset.type === "CNAME") &&
        !isChanged(name, rrset.type),
    );
    if (beside !== undefined) {
      return `${name} has ${beside.type} records, and a CNAME stands alone; so it gets no ${type}`;
    }
  }
  return undefined;
}

async function transferDenied(
  zone: DomainName,
  rcode: number,
  client: DnsUpdateClient,
): Promise<ProviderFailure> {
  switch (rcode) {
    case RCODES.REFUSED:
    case RCODES.NOTAUTH:
      return zoneOrKey(zone, rcode, client);
    default:
      return failed(
        "provider-error",
        `${client.server} does not give the zone ${zone}: ${rcodeName(rcode)}.`,
      );
  }
}

/** Servers give one and the same answer where they have no such zone, and where they keep somebody from it. */
async function zoneOrKey(zone: DomainName, rcode: number, client: DnsUpdateClient): Promise<ProviderFailure> {
  const serves = await client.serves(zone);
  const said = `${client.server} says ${rcodeName(rcode)}`;
  if (serves === false) {
    return failed("no-zone", `${said}: it does not hold the zone ${zone}. Ask the zone's primary server.`);
  }
  const detail =
    client.keyName === undefined
      ? `${said}: it may ask for a key.`
      : `${said}: the key "${client.keyName}" is unknown there, has another secret or algorithm, or no rights on ${zone}; or the clocks differ by minutes.`;
  return failed("credentials", detail);
}

/** An answer that proves nothing may stand in for the real one, which was never seen. */
function mayHaveHappened(outcome: Unanswered): boolean {
  switch (outcome.status) {
    case "unreachable":
      return outcome.sent;
    case "unreadable":
      return true;
    case "unverified": {
      const { verdict } = outcome;
      // Servers that refuse a key cannot prove it: RFC 8945 §5.3.2
      if (verdict.status === "refused") return false;
      return !(verdict.status === "unsigned" && isDenial(verdict.message.rcode));
    }
    default:
      return outcome satisfies never;
  }
}

/** PowerDNS answers so, unsigned, to a key or a time that it does not like, and Knot for zones that it does not have. */
function isDenial(rcode: number): boolean {
  return rcode === RCODES.REFUSED || rcode === RCODES.NOTAUTH;
}

async function failureOf(
  outcome: Unanswered,
  zone: DomainName,
  client: DnsUpdateClient,
): Promise<ProviderFailure> {
  switch (outcome.status) {
    case "unreachable":
      return failed("unreachable", `${outcome.detail}.`);
    case "unreadable":
      return failed("unreachable", `${outcome.problem}.`);
    case "unverified":
      return signatureFailure(outcome.verdict, outcome.ourTime, zone, client);
    default:
      return outcome satisfies never;
  }
}

async function signatureFailure(
  verdict: UnverifiedReply,
  ourTime: number,
  zone: DomainName,
  client: DnsUpdateClient,
): Promise<ProviderFailure> {
  const { server } = client;
  switch (verdict.status) {
    case "refused":
      return tsigRefusal(verdict, ourTime, client);
    case "untimely":
      return failed(
        "clock",
        `The answer of ${server} was signed at ${timeText(verdict.timeSigned)}, and here it is ${timeText(ourTime)}. Set the clocks right.`,
      );
    case "unsigned": {
      const { rcode } = verdict.message;
      if (isDenial(rcode)) return zoneOrKey(zone, rcode, client);
      return failed(
        "not-authentic",
        `The answer of ${server} (${rcodeName(rcode)}) is not signed, so it may be anybody's.`,
      );
    }
    case "forged":
      return failed(
        "not-authentic",
        `The answer of ${server} is not signed as it should be: ${verdict.problem}. It may be anybody's.`,
      );
    default:
      return verdict satisfies never;
  }
}

function tsigRefusal(
  { error, serverTime }: TsigRefusal,
  ourTime: number,
  client: DnsUpdateClient,
): ProviderFailure {
  const { server } = client;
  switch (error) {
    case "BADKEY":
      return failed(
        "credentials",
        `${server} does not know ${keyText(client)} with this algorithm (BADKEY). Compare name and algorithm.`,
      );
    case "BADSIG":
      return failed(
        "credentials",
        `${server} knows ${keyText(client)}, but with another secret (BADSIG). Compare the secret.`,
      );
    case "BADTIME": {
      const theirs = serverTime === undefined ? "another time" : timeText(serverTime);
      return failed(
        "clock",
        `At ${server} it is ${theirs}, and here it is ${timeText(ourTime)}. Set the clocks right.`,
      );
    }
    case "BADTRUNC":
      return failed("provider-error", `${server} finds our signature too short, which has its full length.`);
    default:
      return error satisfies never;
  }
}

function keyText({ keyName }: DnsUpdateClient): string {
  return keyName === undefined ? "requests without a key" : `the key "${keyName}"`;
}

/** "2026-11-21 07:30:00 UTC" */
function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `second ${seconds}`;
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function failed(cause: FailureCause, detail: string): ProviderFailure {
  return { status: "failed", cause, detail };
}
