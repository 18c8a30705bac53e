/** Thousands of requests made up from the OpenAPI document: nothing breaks, and nothing of another tenant comes out. */
import { expect, it } from "vitest";
import { type HttpWorld, httpWorld } from "../../../test/support/http-world.ts";

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
}
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

/** A xorshift: the same requests each time. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const TEXTS = [
  "anna.example",
  "bert.example",
  "admin.example",
  "mail.bert.example",
  "",
  "x",
  "../../etc/passwd",
  "\u0000\u202e",
  "💌.example",
  "v=spf1 include:bert.example -all",
  "550 5.7.26 rejected by bert",
  "a@anna.example",
  "domains: [{domain: anna.example}]",
  "*a\n---\n&a [*a]",
  "zpt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  "2026-11-21T12:00:00Z",
  "0".repeat(64),
  "a".repeat(2000),
  "202611",
  "' or 1=1 --",
  "{{7*7}}",
  "id-of-anna",
];
const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  [],
  {},
  [[]],
  { toString: 1 },
  { domain: "bert.example" },
  "",
  0.5,
];

function made(schema: Schema, pick: (below: number) => number, depth = 0): unknown {
  if (pick(8) === 0 || depth > 4) return ODD[pick(ODD.length)];
  if (schema.enum) return schema.enum[pick(schema.enum.length)];
  if (schema.anyOf) return made(schema.anyOf[pick(schema.anyOf.length)]!, pick, depth + 1);
  switch (schema.type) {
    case "object": {
      const own = Object.entries(schema.properties ?? {}).filter(() => pick(6) > 0);
      return Object.fromEntries(own.map(([name, inner]) => [name, made(inner, pick, depth + 1)]));
    }
    case "array":
      return Array.from({ length: pick(3) }, () => made(schema.items ?? {}, pick, depth + 1));
    case "integer":
    case "number":
      return [0, 1, 2, 50, -1, 2 ** 31][pick(6)];
    case "boolean":
      return pick(2) === 0;
    default:
      return TEXTS[pick(TEXTS.length)];
  }
}

const ROUNDS = 12;

/** What only the other owner's domain, key and job say. */
const MARK = "only-bert-knows";

async function seeded(): Promise<{ world: HttpWorld; jobs: readonly string[] }> {
  const world = await httpWorld();
  const [owner, other] = [world.clients["owner"]!, world.clients["other"]!];
  const content = { verification: [MARK] };
  await world.ask(other, "PUT", "/api/domains/bert.example", { content, revision: 1 });
  await world.ask(other, "POST", "/api/domains/bert.example/keys", { selector: MARK, algorithm: "ed25519" });
  const begun = await Promise.all(
    [[owner, "anna.example"] as const, [other, "bert.example"] as const].map(([client, domain]) =>
      world.ask(client, "POST", `/api/domains/${domain}/check`),
    ),
  );
  await world.settle();
  return { world, jobs: begun.map(({ body }) => (body as { job: string }).job) };
}

it("answers thousands of made-up requests of every role with no fault and no leak", async () => {
  const { world, jobs } = await seeded();
  const pick = chance(20_261_121);
  const document = world.server.app.swagger() as { paths: Record<string, Record<string, Operation>> };
  const statuses = new Map<number, number>();
  // Roles whose eyes end at their own domains come before those who may change who owns what.
  for (const name of [
    "anonymous",
    "owner",
    "reader",
    "token read",
    "token keys",
    "token publish",
    "token domains",
    "token admin",
    "administrator",
  ]) {
    const client = world.clients[name]!;
    for (let round = 0; round < ROUNDS; round++) {
      for (const [path, methods] of Object.entries(document.paths)) {
        for (const [method, operation] of Object.entries(methods)) {
          if (/logout|sessions\/end/.test(path)) continue;
          const parts: Record<string, string> = { job: jobs[pick(2)]!, selector: MARK };
          let url = path.replace(/\{(\w+)\}/g, (_, part: string) =>
            encodeURIComponent(pick(3) > 0 ? (parts[part] ?? TEXTS[pick(3)]!) : TEXTS[pick(TEXTS.length)]!),
          );
          const query = (operation.parameters ?? []).filter((one) => one.in === "query" && pick(3) > 0);
          if (query.length > 0)
            url += `?${query.map((one) => `${one.name}=${encodeURIComponent(JSON.stringify(made(one.schema, pick)).replace(/^"|"$/g, ""))}`).join("&")}`;
          const schema = operation.requestBody?.content["application/json"]?.schema;
          const body = schema && made(schema, pick);
          const { status, text } = await world.ask(client, method.toUpperCase(), url, body);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          const said = `${name} ${method} ${url} ${JSON.stringify(body)} → ${status} ${text.slice(0, 300)}`;
          if (status >= 500 && status !== 502) expect.fail(said);
          if (name === "anonymous" || name === "owner") {
            // What was sent may come back in the words of a refusal; what was not sent must not.
            if (!url.includes(MARK) && text.includes(MARK)) expect.fail(said);
            // An owner's own key may have been called so.
            const told = text.replace(/"selector":"[\w.]+"|[\w.]+\._domainkey\.anna\.example/g, "");
            if (status < 300 && /bert\.example/.test(told) && !JSON.stringify([url, body]).includes("bert"))
              expect.fail(said);
          }
        }
      }
    }
    await world.settle();
  }
  const all = [...statuses.values()].reduce((sum, count) => sum + count, 0);
  expect(all).toBeGreaterThan(5000);
  // Not all of it is turned away at the door.
  expect((statuses.get(200) ?? 0) + (statuses.get(201) ?? 0) + (statuses.get(204) ?? 0)).toBeGreaterThan(300);
  await world.close();
}, 120_000);

it("says of itself what test/golden/openapi.json says", async () => {
  const world = await httpWorld();
  const { text } = await world.ask(world.clients["anonymous"]!, "GET", "/api/openapi.json");
  await expect(`${JSON.stringify(JSON.parse(text), null, 2)}\n`).toMatchFileSnapshot(
    "../../../test/golden/openapi.json",
  );
  expect(JSON.parse(text).openapi).toBe("3.1.0");
  await world.close();
});
