/** autoconfig and autodiscover as mail programs fetch them: over HTTPS, with a certificate for just that name. */
import { type DomainName, prepend } from "../standards/dns/name.ts";
import { certificateFaults } from "./certificate.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./finding.ts";
import type { HttpsProbe, HttpsRequest } from "./probe.ts";
import { tlsCommand } from "./probe-command.ts";
import { reachableAddresses } from "./reach.ts";

const MAX_OCTETS = 65_536;

interface Kind {
  readonly label: "autoconfig" | "autodiscover";
  readonly request: (domain: DomainName) => Pick<HttpsRequest, "path" | "post">;
  readonly looksRight: (status: number, body: string) => boolean;
}

const KINDS: readonly Kind[] = [
  {
    label: "autoconfig",
    request: (domain) => ({ path: `/mail/config-v1.1.xml?emailaddress=postmaster%40${domain}` }),
    looksRight: (status, body) => status === 200 && body.includes("<clientConfig"),
  },
  {
    label: "autodiscover",
    request: (domain) => ({
      path: "/autodiscover/autodiscover.xml",
      post: {
        contentType: "text/xml",
        body: `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>postmaster@${domain}</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`,
      },
    }),
    // A server that asks for the password first answers 401, and that is how Exchange does it.
    looksRight: (status, body) => status === 401 || (status === 200 && /<autodiscover/i.test(body)),
  },
];

interface SettingsAnswer {
  readonly kind: Kind;
  readonly host: DomainName;
  readonly probe: HttpsProbe;
}

/** What the two hosts answer, as far as they have addresses. */
export function settingsAnswers(context: Context): Promise<readonly SettingsAnswer[]> {
  return context.shared("client settings", async () => {
    if (context.world.prober === undefined) return [];
    const answers = await Promise.all(
      KINDS.map(async (kind) => {
        const host = prepend(kind.label, context.domain);
        const addresses = await reachableAddresses(host, context);
        if (addresses.length === 0) return [];
        const request = { host, addresses, maxOctets: MAX_OCTETS, ...kind.request(context.domain) };
        return [{ kind, host, probe: await context.fetchHttps(request) }];
      }),
    );
    return answers.flat();
  });
}

export async function checkClientSettings(context: Context): Promise<Finding[]> {
  return (await settingsAnswers(context)).flatMap((answer) => answerFindings(answer, context));
}

function answerFindings({ kind, host, probe }: SettingsAnswer, context: Context): Finding[] {
  const url = `https://${host}${kind.request(context.domain).path}`;
  const said = { owner: host, verify: { command: `curl -sSi '${url}'` } } as const;
  switch (probe.status) {
    case "refused":
      return [context.finding("settings-unreachable", { ...said, observed: probe.detail })];
    case "tls-failed":
      return [context.finding("settings-tls", { ...said, observed: probe.detail })];
    case "timeout":
    case "unreachable":
    case "broken":
      return [context.finding("settings-untold", { ...said, observed: probe.detail })];
    case "answered": {
      const findings = certificateFaults(probe.tls, host, context.world.now).map((fault) =>
        context.finding(fault.code, {
          owner: host,
          subject: "https 443",
          severity: "warning",
          ...(fault.expected !== undefined && { expected: fault.expected }),
          observed: `${host} (${probe.address.text}): ${fault.observed}`,
          why: "Mail programs show a warning that frightens people, or give up without a word.",
          verify: { command: tlsCommand("https", host, probe.address, 443) },
        }),
      );
      const redirect =
        probe.httpStatus >= 300 && probe.httpStatus < 400 ? ` to ${probe.location ?? "nowhere"}` : "";
      if (!kind.looksRight(probe.httpStatus, probe.body) && redirect === "") {
        findings.push(
          context.finding("settings-not-served", {
            ...said,
            observed: `${kind.label}: HTTP ${probe.httpStatus}, ${probe.contentType?.slice(0, 80) ?? "no content type"}`,
          }),
        );
      }
      if (findings.some(({ severity }) => severity !== "notice")) return findings;
      return [
        ...findings,
        context.finding("settings-ok", {
          ...said,
          observed: `${kind.label}: HTTP ${probe.httpStatus}${redirect.slice(0, 200)}`,
        }),
      ];
    }
    default:
      return probe satisfies never;
  }
}
