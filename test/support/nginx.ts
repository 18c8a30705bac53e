/** An nginx of the test's own: web sites over HTTPS, each with its address, names, certificate and pages. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServedCertificate } from "./certificates.ts";
import { isListening } from "./network-namespace.ts";
import { makeServerDirectory, type RunningServer, startServer } from "./real-server.ts";

export type WebPage =
  | { readonly body: string; readonly contentType: string }
  | { readonly redirect: string; readonly status?: 301 | 302 | 307 | 308 }
  /** An answer without more. */
  | { readonly status: number };

export interface WebSite {
  readonly address: string;
  readonly port: number;
  /** Which names it answers to; the first site of an address answers to all others too. */
  readonly names: readonly string[];
  /** Without one it is no HTTPS that it speaks. */
  readonly certificate?: ServedCertificate;
  /** By path, such as "/.well-known/mta-sts.txt"; all else is 404. */
  readonly pages: Readonly<Record<string, WebPage>>;
  /** Directives of the server block, such as `ssl_protocols`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface NginxOptions {
  readonly namespace?: string;
  readonly sites: readonly WebSite[];
}

export function startNginx({ namespace, sites }: NginxOptions): Promise<RunningServer> {
  const directory = makeServerDirectory("nginx");
  mkdirSync(join(directory, "temp"));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `  ${kind}_temp_path ${join(directory, "temp", kind)};`,
  );
  const configuration = `
daemon off;
worker_processes 1;
pid ${join(directory, "nginx.pid")};
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  server_tokens off;
  server_names_hash_bucket_size 256;
  server_names_hash_max_size 4096;
${temporary.join("\n")}
${sites.map((site, at) => siteBlock(site, join(directory, `site-${at}`))).join("\n")}
}
`;
  writeFileSync(join(directory, "nginx.conf"), configuration);
  return startServer({
    program: "nginx",
    arguments: ["-e", "stderr", "-p", directory, "-c", join(directory, "nginx.conf")],
    directory,
    namespace,
    isReady: ({ pid }) => isListening(pid, sites),
  });
}

function siteBlock(site: WebSite, folder: string): string {
  const { address, port, names, certificate, pages, settings = {} } = site;
  mkdirSync(folder);
  const endpoint = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const lines = [`listen ${endpoint}${certificate ? " ssl" : ""};`, `server_name ${names.join(" ")};`];
  if (certificate !== undefined) {
    writeFileSync(join(folder, "chain.pem"), certificate.chain);
    writeFileSync(join(folder, "key.pem"), certificate.key, { mode: 0o600 });
    lines.push(
      `ssl_certificate ${join(folder, "chain.pem")};`,
      `ssl_certificate_key ${join(folder, "key.pem")};`,
    );
  }
  for (const [name, value] of Object.entries(settings)) lines.push(`${name} ${value};`);
  const locations = Object.entries(pages).map(
    ([path, page], at) => `location = ${path} { ${pageDirectives(page, join(folder, `page-${at}`))} }`,
  );
  const all = [...lines, ...locations, "location / { return 404; }"];
  return `  server {\n${all.map((line) => `    ${line}`).join("\n")}\n  }`;
}

function pageDirectives(page: WebPage, file: string): string {
  if ("redirect" in page) return `return ${page.status ?? 301} ${page.redirect};`;
  if ("status" in page) return `return ${page.status};`;
  writeFileSync(file, page.body);
  return `types { } default_type "${page.contentType}"; alias ${file};`;
}
