/** The server: every route behind the same door, every answer with the same headers, every fault in one shape. */
import cookie from "@fastify/cookie";
import swagger from "@fastify/swagger";
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from "fastify-type-provider-zod";
import { z } from "zod";
import { auditEntry, newId } from "../../access/audit.ts";
import { MAX_CREDENTIAL_ID } from "../../access/passkey.ts";
import { TooManyPasswords } from "../../access/password.ts";
import { actorName, may, sees } from "../../access/permission.ts";
import type { SessionTools } from "../../access/session.ts";
import type { StoredDomain } from "../../records/description-store.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import { lookAgainHandlers } from "../../watch/look-again.ts";
import { Tasks } from "../../watch/task.ts";
import { API_STYLE, apiPage } from "./api-page.ts";
import { type Came, cookieName, notLoggedIn, requireOwnHost, requireOwnPage, whoCame } from "./door.ts";
import { ServerMetrics } from "./metrics.ts";
import { addPages, sendPage } from "./pages.ts";
import type { ServerParts, ServerSettings } from "./parts.ts";
import { notFound, PROBLEM_CODES, problemBody, problemSchema, Refusal } from "./problem.ts";
import { rotationWork } from "./rotation.ts";
import type { Asked, Route } from "./route.ts";
import { accountRoutes } from "./routes/account.ts";
import { alertRoutes } from "./routes/alert.ts";
import { domainRoutes } from "./routes/domain.ts";
import { findingRoutes } from "./routes/finding.ts";
import { jobRoutes } from "./routes/job.ts";
import { keyRoutes } from "./routes/key.ts";
import { loginRoutes } from "./routes/login.ts";
import { passkeyRoutes } from "./routes/passkey.ts";
import { providerRoutes } from "./routes/provider.ts";
import { publishRoutes } from "./routes/publish.ts";
import { serverRoutes } from "./routes/server-wide.ts";
import { stateRoutes } from "./routes/state.ts";
import { textRoutes } from "./routes/text.ts";
import { troubleshootRoutes } from "./routes/troubleshoot.ts";
import { userRoutes } from "./routes/user.ts";

const MAX_BODY_OCTETS = 256 * 1024;
const MAX_HEADER_OCTETS = 16 * 1024;
/** A passkey's id is the longest. */
const MAX_PATH_PART = MAX_CREDENTIAL_ID;
const REQUEST_MILLISECONDS = 30_000;
const STEP_SECONDS = 600;
/** So long who follows a job is left to it when the server stops. */
const FOLLOWED_MILLISECONDS = 5_000;

export interface ZonepostServer {
  readonly app: FastifyInstance;
  /** For who works at the queue: what the routes have begun. */
  readonly handlers: Tasks["handlers"] &
    ReturnType<typeof rotationWork> &
    ReturnType<typeof lookAgainHandlers>;
  /** Tasks that ended long ago are forgotten. */
  readonly sweep: () => Promise<void>;
  /** Answers what has come, ends what is followed, and takes nothing more. */
  readonly stop: () => Promise<void>;
}

export async function createServer(parts: ServerParts, settings: ServerSettings): Promise<ZonepostServer> {
  const { logLine } = parts;
  const app: FastifyInstance = Fastify({
    bodyLimit: MAX_BODY_OCTETS,
    // Ours from the start: those that it would load otherwise are large, and never used.
    schemaController: {
      compilersFactory: {
        buildValidator: () => validatorCompiler,
        buildSerializer: () => serializerCompiler,
      },
    },
    requestTimeout: REQUEST_MILLISECONDS,
    connectionTimeout: 0,
    keepAliveTimeout: 10_000,
    http: { maxHeaderSize: MAX_HEADER_OCTETS },
    routerOptions: { maxParamLength: MAX_PATH_PART },
    trustProxy: settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false,
    forceCloseConnections: "idle",
    // A path that cannot be read reaches no route, and no hook.
    frameworkErrors: (_error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      reply.headers(securityHeaders(settings.origin.startsWith("https://")));
      const what = "the path cannot be read";
      sendProblem(new Refusal("not-understood", what, "look at /api/docs"), request, reply);
    },
    ...(settings.tls && { https: { cert: settings.tls.certificate, key: settings.tls.key } }),
    logger:
      logLine === undefined
        ? false
        : {
            level: settings.logLevel,
            base: null,
            stream: { write: logLine },
            // No query and no header: they hold secrets of people and of identity providers.
            serializers: {
              req: ({ method, url, ip }: FastifyRequest) => ({ method, path: pathOf(url), address: ip }),
              err: (error: Error) => ({ type: error.name, message: error.message, stack: error.stack ?? "" }),
            },
          },
  } as object);
  const metrics = new ServerMetrics();
  const tasks = new Tasks({
    store: parts.tasks,
    queue: parts.queue,
    now: parts.now,
    newId: () => newId(parts.random),
    sleep: parts.sleep,
    onTrouble: (trouble, error) => app.log.error({ err: error }, trouble),
  });
  const ending = new AbortController();
  const isSecure = settings.origin.startsWith("https://");
  const tools: SessionTools = {
    store: parts.access,
    now: parts.now,
    random: parts.random,
    times: settings.times,
  };

  app.removeContentTypeParser("text/plain");
  await app.register(cookie);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Zonepost",
        version: "1",
        description: "Every fault is a Problem: where, what, and what to do. x-permission says who may.",
      },
      components: {
        securitySchemes: {
          token: { type: "http", scheme: "bearer" },
          session: { type: "apiKey", in: "cookie", name: cookieName(true) },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });

  app.addHook("onRequest", async (request) => {
    if (!OPEN_PATHS.has(pathOf(request.url))) requireOwnHost(request, settings.origin);
  });
  app.addHook("onSend", async (_request, reply) => {
    const { "cache-control": isKept } = reply.getHeaders();
    reply.headers({ ...securityHeaders(isSecure), ...(isKept !== undefined && { "cache-control": isKept }) });
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "none";
    const path = route.startsWith("/assets/") ? "/assets/*" : route;
    metrics.answered(request.method, path, reply.statusCode, reply.elapsedTime / 1000);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = asRefusal(error, parts);
    if (refusal.code === "failed" || parts.storeTrouble(error) !== undefined)
      request.log.error({ err: error }, "failed");
    sendProblem(refusal, request, reply);
  });
  app.setNotFoundHandler(
    (request, reply) => sendPage(request, reply, parts.pages) ?? sendProblem(notFound(), request, reply),
  );

  const routes: readonly Route[] = [
    ...loginRoutes(parts, tools, metrics),
    ...passkeyRoutes(parts, tools, settings),
    ...accountRoutes(parts, tools),
    ...serverRoutes(parts, tasks),
    ...domainRoutes(parts),
    ...findingRoutes(parts, tasks),
    ...keyRoutes(parts),
    ...publishRoutes(parts, tasks),
    ...textRoutes(parts, tasks),
    ...troubleshootRoutes(parts, tasks),
    ...stateRoutes(parts),
    ...alertRoutes(parts),
    ...providerRoutes(parts),
    ...userRoutes(parts),
    ...jobRoutes(parts, tasks, ending.signal),
  ];
  await app.register(async (scope) => {
    for (const each of routes) addRoute(each, scope);
    addOpenRoutes(scope);
  });
  await addPages(app, parts.pages);

  function addRoute(spec: Route, scope: FastifyInstance): void {
    const { method, path, gate, summary, params, query, body, answer, maxBodyOctets, isRaw } = spec;
    const status = spec.status ?? (answer === undefined && !isRaw ? 204 : 200);
    scope.route({
      method,
      url: path,
      ...(maxBodyOctets && { bodyLimit: maxBodyOctets }),
      schema: {
        summary,
        operationId: `${method.toLowerCase()}${path.replace(/^\/api/, "").replace(/[/:-]+(\w)/g, (_, first: string) => first.toUpperCase())}`,
        tags: [path.split("/")[2] ?? "api"],
        ...(params && { params }),
        ...(query && { querystring: query }),
        ...(body && { body }),
        ...(gate !== "anyone" && {
          security:
            gate === "half" || gate === "account" ? [{ session: [] }] : [{ token: [] }, { session: [] }],
        }),
        ["x-permission" as string]: gate,
        response: {
          ...(answer !== undefined && { [status]: answer }),
          ...(answer === undefined && !isRaw && { 204: z.null().describe("Done.") }),
          "4xx": problemSchema,
          "5xx": problemSchema,
        },
      } as object,
      // Before the body is read: who may not ask is not listened to.
      preParsing: async (request) => {
        const came = await whoCame(request, isSecure, tools);
        if (
          gate === "half"
            ? came.session === undefined && came.actor === undefined
            : gate !== "anyone" && came.actor === undefined
        )
          throw notLoggedIn();
        if (method !== "GET")
          requireOwnPage(request, came.session, came.actor?.scopes !== undefined, settings.origin);
        if (gate !== "anyone" && gate !== "half" && !may(came.actor!, gate))
          throw new Refusal(
            "not-allowed",
            `this needs the permission ${gate}`,
            "ask an administrator for it",
          );
        if (gate === "half" && came.session === undefined)
          throw new Refusal("not-allowed", "this is for sessions, not for tokens", "log in with a browser");
        asking.set(request, came);
      },
      handler: async (request, reply) => {
        const came = asking.get(request)!;
        const given = {
          params: (request.params ?? {}) as Readonly<Record<string, unknown>>,
          query: request.query,
          body: request.body,
        };
        const domain = await ownDomain(given.params["domain"] as DomainName | undefined, came);
        const result = await spec.act(given, askedOf(request, reply, came, domain));
        if (isRaw) return reply;
        reply.status(status);
        if (answer === undefined) return reply.send();
        return result;
      },
    });
  }

  const asking = new WeakMap<FastifyRequest, Came>();

  async function ownDomain(name: DomainName | undefined, { actor }: Came): Promise<StoredDomain | undefined> {
    if (name === undefined) return undefined;
    const stored = await parts.descriptions.domain(name);
    if (stored === undefined || actor === undefined || !sees(actor, stored)) throw notFound();
    return stored;
  }

  function askedOf(
    request: FastifyRequest,
    reply: FastifyReply,
    { actor, session, caller }: Came,
    domain: StoredDomain | undefined,
  ): Asked {
    const attributes = { path: "/", httpOnly: true, secure: isSecure } as const;
    return {
      get actor() {
        return actor ?? fail("this route has no actor");
      },
      get domain() {
        return domain ?? fail("this route has no domain");
      },
      caller,
      actorNow: async () => {
        const now = await whoCame(request, isSecure, tools).catch((error: unknown) => {
          if (error instanceof Refusal) return undefined;
          throw error;
        });
        return now?.actor;
      },
      session,
      reply,
      audit: (action, target, details = {}, by) =>
        parts.access.audit(
          auditEntry(
            {
              actor: by ?? (actor === undefined ? "nobody" : actorName(actor)),
              address: caller.address,
              action,
              target,
              details,
            },
            parts.now(),
            parts.random,
          ),
        ),
      setSession: (secret) => {
        if (secret === undefined)
          reply.clearCookie(cookieName(isSecure), { ...attributes, sameSite: "strict" });
        else reply.setCookie(cookieName(isSecure), secret, { ...attributes, sameSite: "strict" });
      },
      cookie: (name) => request.cookies[cookieName(isSecure, name)],
      setStep: (name, value, sameSite) => {
        const full = cookieName(isSecure, name);
        if (value === undefined) reply.clearCookie(full, { ...attributes, sameSite });
        else reply.setCookie(full, value, { ...attributes, sameSite, maxAge: STEP_SECONDS });
      },
    };
  }

  /** For who looks after the machine, and for who reads about the API: nothing of anybody's is in them. */
  function addOpenRoutes(scope: FastifyInstance): void {
    const hidden = { schema: { hide: true } as object };
    scope.get("/healthz", hidden, async (_, reply) => reply.type("text/plain").send("ok\n"));
    scope.get("/readyz", hidden, async (request, reply) => {
      const trouble = isStopping ? "it is stopping" : await parts.trouble();
      if (trouble === undefined) return reply.type("text/plain").send("ready\n");
      request.log.warn({ trouble }, "not ready");
      return reply.status(503).type("text/plain").send("not ready\n");
    });
    scope.get("/metrics", hidden, async (request, reply) => {
      const { actor } = await whoCame(request, isSecure, tools);
      if (actor === undefined) throw notLoggedIn();
      if (!may(actor, "servers.read"))
        throw new Refusal(
          "not-allowed",
          "this needs the permission servers.read",
          "use a token of an administrator or reader",
        );
      const { running, waiting } = await tasks.counts();
      const own = metrics.format({ jobs_running: running, jobs_waiting: waiting });
      return reply.type("text/plain; version=0.0.4").send(own + parts.metrics());
    });
    scope.get("/api/openapi.json", hidden, async (_, reply) => reply.send(app.swagger()));
    scope.get("/api/docs", hidden, async (_, reply) =>
      reply.type("text/html; charset=utf-8").send(apiPage(app.swagger())),
    );
    scope.get("/api/docs.css", hidden, async (_, reply) => reply.type("text/css").send(API_STYLE));
  }

  let isStopping = false;
  await app.ready();
  return {
    app,
    handlers: {
      ...tasks.handlers,
      ...rotationWork(parts, (trouble) => app.log.warn(trouble)),
      ...lookAgainHandlers(parts.watch, parts.checksPerSecond, parts.now),
    },
    sweep: () => tasks.sweep(),
    stop: async () => {
      isStopping = true;
      const stopWaiting = parts.every(FOLLOWED_MILLISECONDS, () => ending.abort());
      await app.close();
      stopWaiting();
    },
  };
}

/** Asked by machines, by address. */
const OPEN_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"]);

const pathOf = (url: string): string => url.split("?", 1)[0]!.slice(0, 300);

function fail(what: string): never {
  throw new Error(what);
}

function sendProblem(refusal: Refusal, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, retryAfterSeconds } = refusal;
  if (retryAfterSeconds !== undefined) reply.header("retry-after", String(retryAfterSeconds));
  return reply
    .status(PROBLEM_CODES[code])
    .type("application/problem+json; charset=utf-8")
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problemBody(refusal, pathOf(request.url)));
}

const STORE_RETRY_SECONDS = 10;
/** Whoever asks learns what it means for them; where the store lies stands in the log. */
const STORE_TROUBLES: Readonly<
  Record<string, { readonly what: string; readonly remedy: string } | undefined>
> = {
  full: {
    what: "the disk of the store is full: nothing was changed, and what is there can still be read",
    remedy: "make room on the server's disk, then try again",
  },
  resealed: {
    what: "all that is sealed here lies under another seal key than this server's: nothing was changed",
    remedy: "put the new seal key in the place of the server's, and start it again",
  },
  busy: { what: "the store is locked by another program: nothing was changed", remedy: "try again" },
  gone: {
    what: "the database does not answer",
    remedy: "try again; the server connects anew by itself once it is there",
  },
};

function asRefusal(error: FastifyError, { storeTrouble }: ServerParts): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof TooManyPasswords)
    return new Refusal("not-ready", error.message, "try again in a few seconds", { retryAfterSeconds: 3 });
  const trouble = STORE_TROUBLES[storeTrouble(error) ?? "other"];
  if (trouble !== undefined)
    return new Refusal("not-ready", trouble.what, trouble.remedy, { retryAfterSeconds: STORE_RETRY_SECONDS });
  if (hasZodFastifySchemaValidationErrors(error)) {
    const parts = error.validation.map(({ instancePath, message }) => ({
      where: `${error.validationContext ?? ""}${instancePath.replaceAll("/", ".")}`,
      what: message ?? "not as it should be",
    }));
    const remedy = "mend what is named; /api/docs says what belongs where";
    return new Refusal("not-understood", "what was sent is not as it should be", remedy, { parts });
  }
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new Refusal("too-large", "the body is too large", "send less at once");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new Refusal("not-json", "the body is not JSON", "send it as Content-Type: application/json");
    default:
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
    return new Refusal("not-understood", "the request cannot be read", "send JSON that is whole");
  return new Refusal("failed", "something went wrong here", "try again; the server's log says what it was");
}

function securityHeaders(isSecure: boolean): Readonly<Record<string, string>> {
  return {
    "content-security-policy":
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "cache-control": "no-store",
    ...(isSecure && { "strict-transport-security": "max-age=31536000" }),
  };
}
