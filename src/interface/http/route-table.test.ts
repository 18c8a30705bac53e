/** Every route, and what each kind of caller gets from it. A route that is not listed here fails. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HttpWorld, httpWorld } from "../../../test/support/http-world.ts";

const CALLERS = [
  "anonymous",
  "owner",
  "other",
  "reader",
  "administrator",
  "token read",
  "token publish",
  "token keys",
  "token domains",
  "token admin",
] as const;

/**
 * One letter for each caller, in their order: `y` gets in (whatever comes of an empty request), `l` has to log in,
 * `n` may not, `0` is told that there is no such thing.
 */
const TABLE: Readonly<Record<string, string>> = {
  "GET /api/login": "yyyyyyyyyy",
  "POST /api/login": "yyyyyyyyyy",
  "POST /api/login/code": "lyyyynnnnn",
  "POST /api/logout": "lyyyynnnnn",
  "GET /api/session": "lyyyynnnnn",
  "GET /api/setup": "yyyyyyyyyy",
  "POST /api/setup": "yyyyyyyyyy",
  "POST /api/login/passkey/offer": "yyyyyyyyyy",
  "POST /api/login/passkey": "yyyyyyyyyy",
  "POST /api/login/provider": "yyyyyyyyyy",
  "GET /api/login/provider/return": "yyyyyyyyyy",
  // An account belongs to a person: no token gets at it.
  "GET /api/account": "lyyyynnnnn",
  "PUT /api/account/password": "lyyyynnnnn",
  "POST /api/account/sessions/end": "lyyyynnnnn",
  "POST /api/account/totp/offer": "lyyyynnnnn",
  "PUT /api/account/totp": "lyyyynnnnn",
  "POST /api/account/totp/remove": "lyyyynnnnn",
  "POST /api/account/tokens": "lyyyynnnnn",
  "DELETE /api/account/tokens/:id": "lyyyynnnnn",
  "POST /api/account/passkeys/offer": "lyyyynnnnn",
  "POST /api/account/passkeys": "lyyyynnnnn",
  "DELETE /api/account/passkeys/:id": "lyyyynnnnn",
  "GET /api/overview": "lyyyyyyyyy",
  "GET /api/history": "lyyyyyyyyy",
  "GET /api/servers": "lnnyyynnyy",
  "PUT /api/servers": "lnnnynnnny",
  "GET /api/audit": "lnnyynnnny",
  "GET /api/alerts": "lnnyyynnyy",
  "POST /api/alerts/:channel/test": "lnnn0nnnn0",
  "GET /api/providers": "lnnnynnnny",
  "POST /api/providers": "lnnnynnnny",
  "PUT /api/providers/:id": "lnnnynnnny",
  "POST /api/providers/:id/try": "lnnn0nnnn0",
  "DELETE /api/providers/:id": "lnnn0nnnn0",
  "POST /api/providers/:id/restore": "lnnn0nnnn0",
  "GET /api/users": "lnnnynnnnn",
  "POST /api/users": "lnnnynnnnn",
  "GET /api/tokens": "lnnnynnnnn",
  "DELETE /api/users/:id/tokens/:token": "lnnn0nnnnn",
  "PUT /api/users/:id": "lnnnynnnnn",
  "GET /api/domains": "lyyyyyyyyy",
  "POST /api/domains": "lnnnynnnyy",
  "POST /api/import": "lnnnynnnyy",
  // Below a domain: it is the owner's; the other owner is not told that it is there.
  "GET /api/domains/:domain": "ly0yyyyyyy",
  "PUT /api/domains/:domain": "ly0nynnnyy",
  "PUT /api/domains/:domain/owner": "lnnnynnnyy",
  "DELETE /api/domains/:domain": "lnnnynnnyy",
  "GET /api/domains/:domain/records": "ly0yyyyyyy",
  "GET /api/domains/:domain/findings": "ly0yyyyyyy",
  "POST /api/domains/:domain/findings/acknowledge": "ly0nynynyy",
  "POST /api/domains/:domain/findings/open": "ly0nynynyy",
  "GET /api/domains/:domain/history": "ly0yyyyyyy",
  "GET /api/domains/:domain/compliance": "ly0yyyyyyy",
  "POST /api/domains/:domain/check": "ly0nynynyy",
  "POST /api/domains/:domain/look": "ly0nynynyy",
  "GET /api/domains/:domain/keys": "ly0yyyyyyy",
  "POST /api/domains/:domain/keys": "ly0nynnyny",
  "POST /api/domains/:domain/keys/import": "ly0nynnyny",
  "GET /api/domains/:domain/keys/:selector": "ly0yyyyyyy",
  "POST /api/domains/:domain/keys/verify": "ly0nynynyy",
  "POST /api/domains/:domain/keys/rotate": "ly0nynnyny",
  "POST /api/domains/:domain/keys/:selector/bar": "ly0nynnyny",
  // A private half: no token has a password.
  "POST /api/domains/:domain/keys/:selector/export": "ly0nynnnnn",
  "GET /api/domains/:domain/rotation": "ly0yyyyyyy",
  "GET /api/domains/:domain/plan": "ly0nynynny",
  "POST /api/domains/:domain/apply": "ly0nynynny",
  "GET /api/domains/:domain/undo": "ly0nynynny",
  "POST /api/domains/:domain/undo": "ly0nynynny",
  "POST /api/explain": "lyyyyyyyyy",
  "POST /api/domains/:domain/troubleshoot": "ly0nynynyy",
  "POST /api/bounce": "lyyyyyyyyy",
  "POST /api/headers": "lyyyyyyyyy",
  "GET /api/settings": "lnnnynnnny",
  // The state is carried away by people alone.
  "GET /api/backup": "lnnnynnnnn",
  "POST /api/backup": "lnnnynnnnn",
  "POST /api/propose": "lnnnynnnyy",
  "POST /api/route": "lyynynynyy",
  "GET /api/jobs/:job": "ly0yyyyyyy",
  "GET /api/jobs/:job/events": "ly0yyyyyyy",
  "GET /healthz": "yyyyyyyyyy",
  "GET /readyz": "yyyyyyyyyy",
  "GET /metrics": "lnnyyynnyy",
  "GET /api/openapi.json": "yyyyyyyyyy",
  "GET /api/docs": "yyyyyyyyyy",
  "GET /api/docs.css": "yyyyyyyyyy",
  "GET /": "yyyyyyyyyy",
};

/** Bodies that are right, where another caller's 404 has to show; others are refused for their content. */
const BODIES: Readonly<Record<string, unknown>> = {
  "PUT /api/domains/:domain": { content: {}, revision: 99 },
  "POST /api/domains/:domain/findings/acknowledge": { key: "spf-missing anna.example" },
  "POST /api/domains/:domain/findings/open": { key: "spf-missing anna.example" },
  "POST /api/domains/:domain/keys": { algorithm: "ed25519" },
  "POST /api/domains/:domain/keys/import": { selector: "one", privateKey: "none" },
  "POST /api/domains/:domain/keys/rotate": {},
  "POST /api/domains/:domain/keys/:selector/bar": { how: "retired" },
  "POST /api/domains/:domain/troubleshoot": { symptom: "not-received" },
  "POST /api/domains/:domain/keys/:selector/export": { format: "pem", password: "none" },
  "POST /api/domains/:domain/apply": { digest: "0".repeat(64) },
  "POST /api/domains/:domain/undo": { digest: "0".repeat(64) },
};
const QUERIES: Readonly<Record<string, string>> = { "DELETE /api/domains/:domain": "?revision=99" };

let routes: string[];

beforeAll(async () => {
  const world = await httpWorld();
  routes = listRoutes(world);
  await world.close();
});

function listRoutes({ server }: HttpWorld): string[] {
  const document = server.app.swagger() as { paths: Record<string, Record<string, unknown>> };
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`),
  );
  return documented;
}

describe("the table of routes", () => {
  it("has every route, and none that is not there", () => {
    const hidden = [
      "/healthz",
      "/readyz",
      "/metrics",
      "/api/openapi.json",
      "/api/docs",
      "/api/docs.css",
      "/",
    ];
    expect([...routes, ...hidden.map((path) => `GET ${path}`)].sort()).toEqual(Object.keys(TABLE).sort());
  });

  describe.each(CALLERS.map((caller, at) => [caller, at] as const))("for %s", (caller, at) => {
    let world: HttpWorld;
    let job: string;
    beforeAll(async () => {
      world = await httpWorld();
      const begun = await world.ask(world.clients["owner"]!, "POST", "/api/domains/anna.example/check");
      job = (begun.body as { job: string }).job;
      await world.settle();
      await world.ask(world.clients["owner"]!, "POST", "/api/domains/anna.example/keys", {
        selector: "sel",
        algorithm: "ed25519",
      });
    });
    afterAll(() => world.close());

    // What ends the session comes last.
    const rows = Object.entries(TABLE).sort(
      ([x], [y]) => Number(/logout/.test(x)) - Number(/logout/.test(y)),
    );
    it.each(rows.map(([name, letters]) => [name, letters[at]!]))("%s → %s", async (name, letter) => {
      const [method = "", path = ""] = name.split(" ");
      const url = path
        .replace(":domain", "anna.example")
        .replace(":job", job)
        .replace(":selector", "sel")
        .replace(":id", "nobody");
      const body = method === "GET" || method === "DELETE" ? undefined : (BODIES[name] ?? {});
      const { status } = await world.ask(world.clients[caller]!, method, url + (QUERIES[name] ?? ""), body);
      if (letter === "l") expect(status).toBe(401);
      else if (letter === "n") expect(status).toBe(403);
      else if (letter === "0") expect(status).toBe(404);
      else {
        // Pages that are not built are 503. 401 is what a failed login says; 404 what an id of nobody is.
        const isLogin = path.startsWith("/api/login");
        expect([
          200,
          201,
          202,
          204,
          303,
          400,
          409,
          422,
          ...(isLogin ? [401] : []),
          ...(path === "/" ? [503] : []),
          ...(/:id|findings\/./.test(path) ? [404] : []),
        ]).toContain(status);
        expect(status).not.toBe(500);
      }
    });
  });
});
