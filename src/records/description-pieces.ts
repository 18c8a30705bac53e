/** A description as a store keeps it: what all domains share, and each domain for itself. */
import type { DomainName } from "../standards/dns/name.ts";
import { type Description, type DescriptionResult, parseWithContent } from "./description.ts";

type Content = Readonly<Record<string, unknown>>;

export interface DescriptionPieces {
  readonly description: Description;
  /** Without domains, and without what names files and commands of this machine: publish and milter. */
  readonly common: Content;
  readonly domains: ReadonlyMap<DomainName, Content>;
}

export type DescriptionPiecesResult =
  | { readonly ok: true; readonly pieces: DescriptionPieces }
  | Extract<DescriptionResult, { ok: false }>;

/** Files that it names are read now, and stand in the pieces: whoever reads those opens none. */
export function readDescriptionPieces(
  text: string,
  readFile: (path: string) => string,
): DescriptionPiecesResult {
  const { result, content } = parseWithContent(text, readFile);
  if (!result.ok) return result;
  const { description } = result;
  const whole = content as Content;
  const { domains, servers, publish: _publish, milter: _milter, $schema: _schema, ...common } = whole;
  const entries = domains as readonly Content[];
  return {
    ok: true,
    pieces: {
      description,
      common: {
        ...common,
        ...(servers !== undefined && {
          servers: (servers as readonly Content[]).map((server) => withTlsa(server, readFile)),
        }),
      },
      domains: new Map(
        description.domains.map(({ domain }, at) => [
          domain,
          { ...withKeys(entries[at]!, readFile), domain },
        ]),
      ),
    },
  };
}

const listOf = (value: unknown): readonly Content[] => (value as readonly Content[] | undefined) ?? [];

function withTlsa(server: Content, readFile: (path: string) => string): Content {
  if (server["tlsa"] === undefined) return server;
  const tlsa = listOf(server["tlsa"]).map((source) => {
    if (source["file"] === undefined) return source;
    const pem = readFile(source["file"] as string);
    return pem.includes("-----BEGIN CERTIFICATE-----") ? { certificate: pem } : { publicKey: pem };
  });
  return { ...server, tlsa };
}

function withKeys(domain: Content, readFile: (path: string) => string): Content {
  if (domain["dkim"] === undefined) return domain;
  const dkim = listOf(domain["dkim"]).map(({ file, ...key }) =>
    file === undefined ? key : { ...key, publicKey: readFile(file as string) },
  );
  return { ...domain, dkim };
}
