/** The API for people: one page made of the OpenAPI document, without scripts and without anything from elsewhere. */

export const API_STYLE = `body { font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; border-bottom: 1px solid }
code, pre { font-family: monospace } pre { overflow: auto; padding: .5rem; border: 1px solid }
summary { cursor: pointer } .gate { opacity: .75 }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } a { color: #9cf } }
`;

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly requestBody?: unknown;
  readonly parameters?: readonly unknown[];
  readonly responses?: Readonly<Record<string, unknown>>;
}

/** `document` is OpenAPI 3.1. */
export function apiPage(document: { readonly paths?: object }): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Readonly<Record<string, Operation>>).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation,
    })),
  );
  const groups = Map.groupBy(operations, ({ operation }) => operation.tags?.[0] ?? "");
  const sections = [...groups].map(
    ([tag, all]) => `<section><h2>${escapeHtml(tag)}</h2>${all.map(operationHtml).join("")}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Zonepost API</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/api/docs.css"></head>
<body><h1>Zonepost API</h1>
<p>Send JSON. Programs send a token as <code>Authorization: Bearer zpt_…</code>; browsers have a session, and send
<code>X-CSRF-Token</code> (from <code>GET /api/session</code>) with whatever changes something. Every fault says where,
what, and what to do. For programs: <a href="/api/openapi.json">openapi.json</a>.</p>
${sections.join("\n")}</body></html>
`;
}

function operationHtml({
  path,
  method,
  operation,
}: {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}): string {
  const gate = (operation as Readonly<Record<string, unknown>>)["x-permission"];
  const block = (title: string, content: unknown) =>
    content === undefined
      ? ""
      : `<details><summary>${title}</summary><pre>${escapeHtml(JSON.stringify(content, null, 2))}</pre></details>`;
  const good = Object.entries(operation.responses ?? {}).filter(([status]) => status.startsWith("2"));
  return `<article><h3><code>${method} ${escapeHtml(path)}</code></h3>
<p>${escapeHtml(operation.summary ?? "")} <span class="gate">${escapeHtml(String(gate))}</span></p>
${block("Parameters", operation.parameters)}${block("Body", operation.requestBody)}${block("Answer", good.length > 0 ? Object.fromEntries(good) : undefined)}</article>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
