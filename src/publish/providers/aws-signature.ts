/** AWS Signature Version 4: what a request carries so that Amazon knows who asks, and that nobody changed it. */
import { createHash, createHmac } from "node:crypto";
import type { Secret } from "../secret.ts";

export interface AwsSigner {
  readonly accessKeyId: Secret;
  readonly secretAccessKey: Secret;
  readonly region: string;
  readonly service: string;
}

export interface UnsignedRequest {
  readonly method: string;
  /** Its path in the form that is sent; its query as `awsQuery` writes it. */
  readonly url: string;
  readonly body?: string;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/** The headers to add; the signature covers them, the host, path, query and body. */
export function awsHeaders(
  { method, url, body = "" }: UnsignedRequest,
  { accessKeyId, secretAccessKey, region, service }: AwsSigner,
  now: Date,
): Record<string, string> {
  const { host, pathname, search } = new URL(url);
  const time = now.toISOString().replace(/[-:]|\.\d+/g, "");
  const day = time.slice(0, 8);
  const signed = "host;x-amz-date";
  const canonical = [
    method,
    pathname,
    search.slice(1),
    `host:${host}`,
    `x-amz-date:${time}`,
    "",
    signed,
    digest(body),
  ].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = [day, region, service, "aws4_request"].reduce<string | Buffer>(
    (previous, part) => hmac(previous, part),
    `AWS4${secretAccessKey.reveal()}`,
  );
  const signature = hmac(key, [ALGORITHM, time, scope, digest(canonical)].join("\n")).toString("hex");
  const credential = `${accessKeyId.reveal()}/${scope}`;
  return {
    "x-amz-date": time,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${signed}, Signature=${signature}`,
  };
}

/** Sorted, and escaped as the signature wants it: all but letters, digits and -._~ */
export function awsQuery(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .sort()
    .join("&");
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
