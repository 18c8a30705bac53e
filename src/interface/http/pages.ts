/** The management pages, as they were built: hashed files for ever, one page for every address of theirs. */
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

const NOT_BUILT =
  "The pages are not built.\n\nBuild them with: npm run build\nThe API is there without them: /api/docs\n";

/** `folder` has index.html and assets/; each file of assets/ gets a route of its own, and no other path reaches one. */
export async function addPages(scope: FastifyInstance, folder: string | undefined): Promise<void> {
  if (folder === undefined) {
    scope.get("/", { schema: { hide: true } as object }, async (_, reply) =>
      reply.status(503).type("text/plain; charset=utf-8").send(NOT_BUILT),
    );
    return;
  }
  await scope.register(fastifyStatic, {
    root: `${folder}/assets`,
    prefix: "/assets/",
    wildcard: false,
    index: false,
    globIgnore: ["**/*.{br,gz}"],
    preCompressed: true,
    cacheControl: false,
    suppressWarning: true,
    setHeaders: (reply, path) => {
      const isPage = path.endsWith("index.html");
      reply.header("cache-control", isPage ? "no-cache" : "public, max-age=31536000, immutable");
    },
  });
}

const NO_PAGE = /^\/(?:api|assets|healthz|readyz|metrics)(?:\/|$)/;

/** A file, or what looks like one, is no page: "/favicon.ico", "/.env". Names of domains stand deeper. */
const isPage = (path: string): boolean =>
  /^\/(?:[\w-]+(?:\/|$)|$)/.test(path) && !NO_PAGE.test(path) && !/\/\/|\\|\/\.\.?(?:\/|$)/.test(path);

/** What no route answers: the one page, which finds out itself what to show; undefined where it is none of its. */
export function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  folder: string | undefined,
): FastifyReply | undefined {
  const isRead = request.method === "GET" || request.method === "HEAD";
  const [path = ""] = request.url.split("?", 1);
  if (folder === undefined || !isRead || !isPage(path)) return undefined;
  return reply.sendFile("index.html", folder, { cacheControl: false, index: false });
}
