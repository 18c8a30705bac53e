/** The MTA-STS policy as senders fetch it (RFC 8461 §3.3), held against the MX (§4.1) and the description. */
import { mailServersOf } from "../records/derive.ts";
import type { Remark } from "../standards/dns/remark.ts";
import {
  allowsMx,
  formatPolicy,
  MAX_POLICY_CHARACTERS,
  type MtaStsPolicy,
  mxMatches,
  parsePolicy,
  policyHost,
  policyUrl,
  remarksOnPolicy,
} from "../standards/mta-sts/policy.ts";
import { isMtaStsRecord, mtaStsOwner } from "../standards/mta-sts/record.ts";
import { certificateFaults } from "./certificate.ts";
import { type Context, texts } from "./context.ts";
import type { Finding, Fix } from "./finding.ts";
import { mailHosts } from "./mx.ts";
import type { HttpsAnswer, HttpsProbe } from "./probe.ts";
import { reachableAddresses } from "./reach.ts";

const PATH = "/.well-known/mta-sts.txt";

/** Undefined where no record promises a policy, or its host is not to be connected to. */
export function fetchPolicy(context: Context): Promise<HttpsProbe | undefined> {
  return context.shared("mta-sts policy", async () => {
    if (context.world.prober === undefined) return undefined;
    const record = await context.lookup(mtaStsOwner(context.domain), "TXT");
    if (!texts(record).some(({ text }) => isMtaStsRecord(text))) return undefined;
    const host = policyHost(context.domain);
    const addresses = await reachableAddresses(host, context);
    if (addresses.length === 0) return undefined;
    return context.fetchHttps({ host, addresses, path: PATH, maxOctets: MAX_POLICY_CHARACTERS });
  });
}

/** The policy that senders go by; undefined where there is none, or it could not be fetched. */
export async function servedPolicy(context: Context): Promise<MtaStsPolicy | undefined> {
  const answer = await fetchPolicy(context);
  if (answer?.status !== "answered" || answer.httpStatus !== 200) return undefined;
  if (certificateFaults(answer.tls, policyHost(context.domain), context.world.now).some(isFatal))
    return undefined;
  const policy = parsePolicy(answer.body);
  return policy.ok ? policy.value : undefined;
}

const isFatal = ({ code }: { readonly code: string }) => code !== "certificate-expiring";

/** What is wrong with the policy; called where the record is there and its host has an address. */
export async function policyFindings(context: Context): Promise<Finding[]> {
  const answer = await fetchPolicy(context);
  if (answer === undefined) return [];
  const host = policyHost(context.domain);
  const url = policyUrl(context.domain);
  const said = { owner: host, verify: { command: `curl -sSi ${url}` } } as const;
  switch (answer.status) {
    case "answered":
      return answeredFindings(answer, said, context);
    case "refused":
      return [context.finding("mta-sts-policy-unreachable", { ...said, observed: answer.detail })];
    case "tls-failed":
      return [context.finding("mta-sts-policy-tls", { ...said, observed: answer.detail })];
    case "timeout":
    case "unreachable":
    case "broken":
      return [context.finding("mta-sts-policy-untold", { ...said, observed: answer.detail })];
    default:
      return answer satisfies never;
  }
}

type Place = Pick<Finding, "owner"> & { readonly verify: { readonly command: string } };

async function answeredFindings(answer: HttpsAnswer, said: Place, context: Context): Promise<Finding[]> {
  const findings = certificateFaults(answer.tls, said.owner, context.world.now).map((fault) =>
    context.finding(fault.code === "certificate-expiring" ? fault.code : "mta-sts-policy-certificate", {
      ...said,
      subject: "https 443",
      ...(fault.expected !== undefined && { expected: fault.expected }),
      observed: `${said.owner} (${answer.address.text}): ${fault.observed}`,
    }),
  );
  if (answer.httpStatus >= 300 && answer.httpStatus < 400) {
    const to = answer.location === undefined ? "" : ` to ${answer.location.slice(0, 200)}`;
    return [
      ...findings,
      context.finding("mta-sts-policy-redirect", { ...said, observed: `HTTP ${answer.httpStatus}${to}` }),
    ];
  }
  if (answer.httpStatus !== 200) {
    return [
      ...findings,
      context.finding("mta-sts-policy-status", {
        ...said,
        observed: `HTTP ${answer.httpStatus} at ${policyUrl(context.domain)}`,
        fix: await serveFix(context),
      }),
    ];
  }
  const mediaType = answer.contentType?.split(";")[0]?.trim();
  if (mediaType !== "text/plain") {
    findings.push(
      context.finding("mta-sts-policy-content-type", {
        ...said,
        observed: mediaType === undefined ? "no Content-Type" : `Content-Type: ${mediaType}`,
      }),
    );
  }
  findings.push(
    ...remarksOnPolicy(answer.body).map((remark) => context.remark(...onItsLine(remark, answer.body, said))),
  );
  const policy = parsePolicy(answer.body);
  if (policy.ok) {
    findings.push(...(await coverFindings(policy.value, said, context)));
    findings.push(...(await driftFindings(policy.value, said, context)));
  }
  if (findings.every(({ severity }) => severity === "notice")) {
    const { mode, mx, maxAgeSeconds } = policy.ok ? policy.value : NOTHING;
    findings.push(
      context.finding("mta-sts-policy-ok", {
        ...said,
        observed: `mode ${mode}, mx ${mx.join(", ") || "none"}, max_age ${maxAgeSeconds}`,
      }),
    );
  }
  return findings;
}

/** The line of the policy that a remark is about, and the remark with its place in that line. */
function onItsLine(remark: Remark, body: string, said: Place): [Remark, Place & { readonly text: string }] {
  const { offset = body.length, ...rest } = remark;
  const start = body.lastIndexOf("\n", offset - 1) + 1;
  const text = body.slice(start).split(/\r?\n/, 1)[0]!.slice(0, 500) || "the end of the policy";
  return [offset < start + text.length ? { ...remark, offset: offset - start } : rest, { ...said, text }];
}

const NOTHING: MtaStsPolicy = { mode: "none", mx: [], maxAgeSeconds: 0 };

/** Both ways: an MX that the policy does not name gets no mail; a name that is no MX is left over or a slip. */
async function coverFindings(policy: MtaStsPolicy, said: Place, context: Context): Promise<Finding[]> {
  if (policy.mode === "none") return [];
  const hosts = await mailHosts(context);
  const published = `MX ${hosts.join(", ")}; policy ${policy.mx.join(", ")}`;
  const uncovered = hosts.filter((host) => !allowsMx(policy, host));
  const findings: Finding[] = [];
  if (uncovered.length > 0) {
    const enforces = policy.mode === "enforce";
    findings.push(
      context.finding("mta-sts-mx-not-in-policy", {
        ...said,
        severity: enforces ? "error" : "warning",
        expected: `every MX in the policy: ${hosts.join(", ")}`,
        observed: `${uncovered.join(", ")} not covered (${published})`,
        ...(!enforces && {
          why: "Senders that check the policy report this server; in mode enforce they would not deliver to it.",
        }),
        fix: {
          ...(await serveFix(context)),
          summary: `Add ${uncovered.map((host) => `“mx: ${host}”`).join(", ")} to the policy, then give the TXT record a new id.`,
        },
      }),
    );
  }
  const unused = policy.mx.filter((pattern) => !hosts.some((host) => mxMatches(pattern, host)));
  if (hosts.length > 0 && unused.length > 0) {
    findings.push(
      context.finding("mta-sts-policy-names-other", {
        ...said,
        // Together with an MX that is not covered it is the same slip, seen from the other side.
        severity: uncovered.length > 0 ? "notice" : "warning",
        observed: `${unused.join(", ")} is no MX of ${context.domain} (${published})`,
      }),
    );
  }
  return findings;
}

async function driftFindings(policy: MtaStsPolicy, said: Place, context: Context): Promise<Finding[]> {
  const wanted = describedPolicy(context);
  if (wanted === undefined) return [];
  const same = (x: MtaStsPolicy, y: MtaStsPolicy) =>
    x.mode === y.mode && x.maxAgeSeconds === y.maxAgeSeconds && sorted(x.mx) === sorted(y.mx);
  if (same(policy, wanted)) return [];
  // What the MX and the policy make of each other has been said where they do not fit.
  const hosts = await mailHosts(context);
  if (policy.mode === wanted.mode && hosts.some((host) => !allowsMx(policy, host))) return [];
  return [
    context.finding("mta-sts-policy-differs", {
      ...said,
      expected: formatPolicy(wanted).trim().replaceAll("\r\n", "; "),
      observed: formatPolicy(policy).trim().replaceAll("\r\n", "; "),
      fix: await serveFix(context),
    }),
  ];
}

const sorted = (names: readonly string[]) => [...names].sort().join(" ");

/** The file that the description derives. */
function describedFile(context: Context) {
  return context.options.derived?.files.find(({ url }) => url === policyUrl(context.domain));
}

function describedPolicy(context: Context): MtaStsPolicy | undefined {
  const file = describedFile(context);
  const policy = file && parsePolicy(file.content);
  return policy?.ok ? policy.value : undefined;
}

/** What to serve: the described policy, or one in mode testing for the MX as they are. */
async function serveFix(context: Context): Promise<Fix> {
  const { description } = context.options;
  const { described } = context;
  const hosts =
    description !== undefined && described !== undefined
      ? mailServersOf(described, description).map(({ host }) => host)
      : await mailHosts(context);
  const content =
    describedFile(context)?.content ??
    formatPolicy({ mode: "testing", maxAgeSeconds: 86_400, mx: [...hosts] });
  return {
    summary: `Serve this at ${policyUrl(context.domain)} as text/plain, without a redirect.`,
    changes: [],
    request: content.replaceAll("\r\n", "\n"),
  };
}
