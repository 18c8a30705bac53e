/** Who holds a zone, joined to the network and to files. */
import { setTimeout as sleep } from "node:timers/promises";
import { UsageError } from "../interface/cli/exit-code.ts";
import { createDnsUpdateClient } from "../net/dns-update-client.ts";
import { createHttpClient } from "../net/http-client.ts";
import { parseServerAddress } from "../net/server-address.ts";
import { createZoneFileAccess } from "../net/zone-file-access.ts";
import type { Provider } from "../publish/provider.ts";
import { createCloudflareProvider } from "../publish/providers/cloudflare.ts";
import { createDesecProvider } from "../publish/providers/desec.ts";
import { createDigitaloceanProvider } from "../publish/providers/digitalocean.ts";
import { createGandiProvider } from "../publish/providers/gandi.ts";
import { createHetznerProvider } from "../publish/providers/hetzner.ts";
import { createPowerdnsProvider } from "../publish/providers/powerdns.ts";
import { createRfc2136Provider } from "../publish/providers/rfc2136.ts";
import { createRoute53Provider } from "../publish/providers/route53.ts";
import { createZoneFileProvider } from "../publish/providers/zone-file.ts";
import { type EnteredProvider, type PublishEntry, publishEntry } from "../records/publish-settings.ts";
import type { DomainName } from "../standards/dns/name.ts";
import { parseTsigKey } from "../standards/dns/tsig.ts";
import { readSecret } from "./secret-source.ts";

export async function openProvider(
  entry: PublishEntry | EnteredProvider,
  zone: DomainName,
): Promise<Provider> {
  switch (entry.provider) {
    case "rfc2136": {
      const server = parseServerAddress(entry.server);
      if (!server.ok) throw new UsageError(`publish, server: ${server.problem}`);
      const { name, algorithm } = entry.key;
      const secret = readSecret(entry.key.secret, "publish, key.secret").reveal();
      const key = parseTsigKey({ name, algorithm, secret });
      if (!key.ok) throw new UsageError(`publish, key: ${key.problem}`);
      return createRfc2136Provider(
        createDnsUpdateClient({ server: server.value, key: key.value, now: Date.now }),
      );
    }
    case "zone-file":
      return createZoneFileProvider({
        file: openZoneFile(entry, zone),
        zone,
        mode: entry.fragment ? "fragment" : "whole",
        now: Date.now,
      });
    case "powerdns": {
      const apiKey = readSecret(entry.apiKey, "publish, apiKey");
      return createPowerdnsProvider({ ...apiMeans(), url: entry.url, server: entry.server, apiKey });
    }
    case "cloudflare":
      return createCloudflareProvider({ ...apiMeans(), token: readSecret(entry.token, "publish, token") });
    case "desec":
      return createDesecProvider({ ...apiMeans(), token: readSecret(entry.token, "publish, token") });
    case "gandi":
      return createGandiProvider({ ...apiMeans(), token: readSecret(entry.token, "publish, token") });
    case "hetzner":
      return createHetznerProvider({ ...apiMeans(), token: readSecret(entry.token, "publish, token") });
    case "digitalocean":
      return createDigitaloceanProvider({ ...apiMeans(), token: readSecret(entry.token, "publish, token") });
    case "route53":
      return createRoute53Provider({
        ...apiMeans(),
        accessKeyId: readSecret(entry.accessKeyId, "publish, accessKeyId"),
        secretAccessKey: readSecret(entry.secretAccessKey, "publish, secretAccessKey"),
        now: Date.now,
      });
    default:
      return entry satisfies never;
  }
}

function openZoneFile(
  { file, check, reload }: Extract<PublishEntry, { provider: "zone-file" }>,
  zone: DomainName,
) {
  const path = file.replaceAll("{zone}", zone);
  // The program gets the path of the new text where net/ has "{}".
  const words = (command: readonly string[] | undefined) => {
    const [program, ...rest] = (command ?? []).map((word) =>
      word.replaceAll("{zone}", zone).replaceAll("{file}", "{}"),
    );
    return program === undefined ? undefined : ([program, ...rest] as const);
  };
  return createZoneFileAccess({ path, check: words(check), reload: words(reload) });
}

/** Connections are kept for the next request, and end with the program. */
const httpClient = createHttpClient();

const apiMeans = () => ({ http: httpClient.request, sleep: (milliseconds: number) => sleep(milliseconds) });

export function readPublishEntry(entry: unknown, where: string): PublishEntry {
  const read = publishEntry.safeParse(entry);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new UsageError(`${[where, ...(issue?.path ?? [])].join(".")}: ${issue?.message}`);
}
