/** Whatever a server says, providers answer in one of their words, and never throw. */

import { describe, expect, it } from "vitest";
import { changeOf, rrsetIn } from "../../../test/contract/provider.ts";
import { fc } from "../../../test/support/random-inputs.ts";
import { domainName } from "../../standards/dns/name.ts";
import type { HttpClient } from "../http.ts";
import type { Provider } from "../provider.ts";
import { Secret } from "../secret.ts";
import type { ApiMeans } from "./api.ts";
import { createCloudflareProvider } from "./cloudflare.ts";
import { createDesecProvider } from "./desec.ts";
import { createDigitaloceanProvider } from "./digitalocean.ts";
import { createGandiProvider } from "./gandi.ts";
import { createHetznerProvider } from "./hetzner.ts";
import { createPowerdnsProvider } from "./powerdns.ts";
import { createRoute53Provider } from "./route53.ts";
import { escapeXml } from "./xml-element.ts";

const zone = domainName("example.org");
const token = new Secret("a-token-that-nobody-may-see");

/** What a zone may hold, right or wrong, in the words that all APIs share. */
interface Held {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly value: string;
  readonly rest: object;
}

interface Row {
  readonly create: (means: ApiMeans) => Provider;
  /** An answer of the right form to a reading request. */
  readonly form: (url: URL, held: readonly Held[]) => unknown;
}

const providers: Record<string, Row> = {
  powerdns: {
    create: (means) =>
      createPowerdnsProvider({ ...means, url: "http://127.0.0.1", server: "localhost", apiKey: token }),
    form: (_url, held) => ({
      rrsets: held.map(({ name, type, ttl, value }) => ({ name, type, ttl, records: [{ content: value }] })),
    }),
  },
  cloudflare: {
    create: (means) => createCloudflareProvider({ ...means, token }),
    form: (url, held) =>
      url.pathname.endsWith("/dns_records")
        ? {
            result: held.map(({ value, rest, ...record }, at) => ({
              ...rest,
              ...record,
              id: `id${at}`,
              content: value,
              data: rest,
            })),
            result_info: { total_count: held.length },
          }
        : { result: [{ id: "zone", name: zone }] },
  },
  desec: {
    create: (means) => createDesecProvider({ ...means, token }),
    form: (_url, held) =>
      held.map(({ name, type, ttl, value }) => ({ subname: name, type, ttl, records: [value] })),
  },
  hetzner: {
    create: (means) => createHetznerProvider({ ...means, token }),
    form: (url, held) => ({
      zone: { ttl: 60 },
      action: { id: 1, status: url.href.length % 2 === 0 ? "success" : "error" },
      rrsets: held.map(({ name, type, ttl, value }) => ({ name, type, ttl, records: [{ value }] })),
      meta: { pagination: { next_page: null } },
    }),
  },
  digitalocean: {
    create: (means) => createDigitaloceanProvider({ ...means, token }),
    form: (_url, held) => ({
      domain_records: held.map(({ value, rest, ...record }, at) => ({
        ...rest,
        ...record,
        id: at,
        data: value,
      })),
      meta: { total: held.length },
    }),
  },
  gandi: {
    create: (means) => createGandiProvider({ ...means, token }),
    form: (url, held) =>
      url.searchParams.get("page") === "1"
        ? held.map(({ name, type, ttl, value }) => ({
            rrset_name: name,
            rrset_type: type,
            rrset_ttl: ttl,
            rrset_values: [value],
          }))
        : [],
  },
  route53: {
    create: (means) =>
      createRoute53Provider({ ...means, accessKeyId: token, secretAccessKey: token, now: () => 1.8e12 }),
    form: (url, held) => {
      if (url.pathname.endsWith("byname")) return goodZone;
      const sets = held.map(
        ({ name, type, ttl, value }) =>
          `<ResourceRecordSet><Name>${escapeXml(name)}</Name><Type>${type}</Type><TTL>${ttl}</TTL><ResourceRecords><ResourceRecord><Value>${escapeXml(value)}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>`,
      );
      return `<ListResourceRecordSetsResponse><ResourceRecordSets>${sets.join("")}</ResourceRecordSets><IsTruncated>false</IsTruncated></ListResourceRecordSetsResponse>`;
    },
  },
};

const goodZone =
  "<ListHostedZonesByNameResponse><HostedZones><HostedZone><Id>/hostedzone/Z1</Id><Name>example.org.</Name></HostedZone></HostedZones></ListHostedZonesByNameResponse>";

/** Answers that are nearly right: the fields that the APIs have, with values of any kind in them. */
const text = fc.constantFrom(
  "example.org",
  "example.org.",
  "@",
  "",
  ".",
  "..",
  "x".repeat(70),
  "A",
  "TXT",
  "MX",
  "SOA",
  "CAA",
  "SRV",
  "toString",
  "__proto__",
  '"text"',
  '"',
  "\\",
  "\\999",
  "192.0.2.1",
  "10 mail",
  "success",
  "running",
  "é\u0000\ud800",
  token.reveal(),
);
const leaf = fc.oneof(
  text,
  fc.integer(),
  fc.constantFrom(0, 1, -1, 1e300, 300),
  fc.boolean(),
  fc.constant(null),
);
const record = fc.dictionary(
  fc.constantFrom(
    ..."id name type ttl content priority proxied data flags tag value weight port target subname records".split(
      " ",
    ),
    ..."rrset_name rrset_type rrset_ttl rrset_values disabled comment status code message usage selector".split(
      " ",
    ),
  ),
  fc.oneof(leaf, fc.array(leaf, { maxLength: 3 })),
);
const nearly = fc.oneof(
  leaf,
  fc.array(record, { maxLength: 4 }),
  fc.dictionary(
    fc.constantFrom(
      ..."result result_info rrsets zone meta domain_records errors error action message detail success".split(
        " ",
      ),
    ),
    fc.oneof(leaf, record, fc.array(record, { maxLength: 3 })),
  ),
);
const pages = fc.record({
  result: fc.array(record, { maxLength: 3 }),
  result_info: fc.record({ total_count: fc.nat(3) }),
  rrsets: fc.array(record, { maxLength: 3 }),
  domain_records: fc.array(record, { maxLength: 3 }),
  meta: fc.record({ total: fc.nat(3), pagination: fc.constant({ next_page: null }) }),
  zone: fc.constant({ ttl: 3600 }),
  success: fc.boolean(),
});
const xml = fc
  .array(fc.tuple(fc.constantFrom("Code", "Message", "Name", "Type", "TTL", "Value", "IsTruncated"), text), {
    maxLength: 6,
  })
  .map((fields) => {
    const inner = fields.map(([name, value]) => `<${name}>${value.replace(/[<&]/g, "")}</${name}>`).join("");
    return `<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet>${inner}</ResourceRecordSet></ResourceRecordSets>${inner}<IsTruncated>false</IsTruncated></ListResourceRecordSetsResponse>`;
  });
const body = fc.oneof(
  nearly.map((value) => JSON.stringify(value)),
  pages.map((value) => JSON.stringify(value)),
  xml,
  fc.constant(goodZone),
  fc.string(),
  fc.constantFrom("", "null", "{}", "[]", "<", "[".repeat(100_000)),
);
const headers = fc.dictionary(
  fc.constantFrom("retry-after", "link", "total-count"),
  fc.oneof(text, fc.constantFrom("1", "600", '<https://example.net/?cursor=a>; rel="next"', "-1", "NaN")),
);
const status = fc.constantFrom(200, 200, 200, 200, 201, 204, 302, 400, 401, 404, 422, 429, 500, 999, 0);
const outcome = fc.oneof(
  { weight: 9, arbitrary: fc.record({ status: fc.constant("answered"), httpStatus: status, headers, body }) },
  {
    weight: 1,
    arbitrary: fc.record({ status: fc.constant("failed"), detail: text, sent: fc.boolean() }),
  },
);

const held = fc.record({
  name: fc.oneof(text, fc.constantFrom("www", "www.example.org", "www.example.org.", "a.b", "*")),
  type: fc.constantFrom(
    ..."A AAAA TXT MX CAA SRV TLSA CNAME NS SOA HTTPS DS NSEC TYPE65280 ALIAS".split(" "),
  ),
  ttl: fc.constantFrom(0, 1, 300, 3600, 2 ** 31, 2 ** 40),
  value: fc.oneof(
    text,
    fc.constantFrom(
      "0 issue ca.example.net",
      "3 1 1 abcd",
      "0 1 993 imap",
      "imap.example.org",
      "1 . alpn=h2",
    ),
  ),
  rest: fc.oneof(
    {
      weight: 7,
      arbitrary: fc.constantFrom({}, { priority: 0, weight: 1, port: 2, flags: 128, tag: "issue" }),
    },
    { weight: 1, arbitrary: record },
  ),
});

describe.each(Object.entries(providers))("%s", (_name, { create, form }) => {
  const changes = [
    changeOf(undefined, rrsetIn(zone, "_dmarc", "TXT", ['"v=DMARC1"'])),
    changeOf(undefined, rrsetIn(zone, "mail", "A", ["192.0.2.1", "192.0.2.2"])),
  ];
  /** Each request has the answer that fits, or what the list says in its place. */
  const clientOf = (zoneHeld: readonly Held[], replies: readonly (object | undefined)[]) => {
    let at = 0;
    const seen = { writes: 0 };
    const http: HttpClient = async ({ method, url }) => {
      if (method !== "GET") seen.writes += 1;
      const reply = replies[at++ % replies.length];
      if (reply !== undefined) return reply as Awaited<ReturnType<HttpClient>>;
      const value = form(new URL(url), zoneHeld);
      const body = typeof value === "string" ? value : JSON.stringify(value);
      return { status: "answered", httpStatus: 200, headers: {}, body };
    };
    return { http, seen };
  };

  it("has a word for every answer", async () => {
    const counts = { read: 0, rrsets: 0, writes: 0 };
    const reply = fc.oneof(
      { weight: 8, arbitrary: fc.constant(undefined) },
      { weight: 2, arbitrary: outcome },
    );
    const replies = fc.array(reply, { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(held, { maxLength: 4 }), replies, async (zoneHeld, list) => {
        const { http, seen } = clientOf(zoneHeld, list);
        const provider = create({ http, sleep: async () => {} });
        const reading = await provider.readZone(zone);
        if (reading.status === "read") {
          counts.read += 1;
          counts.rrsets += reading.content.rrsets.length;
        } else expect(JSON.stringify(reading)).not.toContain(token.reveal());
        const result = await provider.apply(zone, changes);
        expect(["applied", "stale", "interrupted", "failed"]).toContain(result.status);
        if (seen.writes === 0) expect(["stale", "failed"]).toContain(result.status);
        counts.writes += seen.writes;
        expect(JSON.stringify(result)).not.toContain(token.reveal());
      }),
      { numRuns: 1000 },
    );
    // It got further than to the first door.
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(20);
  });
});
