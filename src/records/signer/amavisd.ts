/** amavisd.conf: Perl, of which `dkim_key('example.org', 'dkim', '/path')` and plain variables are understood. */
import { parseDkimSelector } from "../../standards/dkim/selector.ts";
import { parseDomainName } from "../../standards/dns/name.ts";
import { type Collection, type ConfiguredKey, type Place, quote, SENDER_DOMAIN } from "./configuration.ts";

const MAX_CALL_CHARACTERS = 2000;
/** Variables may double one another line by line. */
const MAX_VALUE_CHARACTERS = 4096;

export function readAmavisd(text: string, collection: Collection): void {
  const code = withoutComments(text);
  const variables = readVariables(code);
  const lineAt = lineCounter(code);
  const enabled = [...code.matchAll(/^[ \t]*\$enable_dkim_signing[ \t]*=[ \t]*([^;\s]{1,20})[ \t]*;/gm)].at(
    -1,
  );
  if (enabled !== undefined && /^(0|undef|''|"")$/.test(enabled[1]!)) {
    const place = { path: collection.path, line: lineAt(enabled.index + enabled[0].search(/\$/)) };
    collection.note(place, "$enable_dkim_signing is off: nothing is signed");
    return;
  }
  const keys = new Map<string, ConfiguredKey[]>();
  for (const { 0: call, index } of code.matchAll(/\b(?:dkim_key[ \t]*\(|include_config_files[ \t]*\()/g)) {
    const place = { path: collection.path, line: lineAt(index) };
    if (call.startsWith("include")) {
      collection.hidden(place, "it reads more files: name those with keys too");
    } else {
      const rest = code.slice(index + call.length, index + call.length + MAX_CALL_CHARACTERS);
      addKey(readArguments(rest, variables), place, keys, collection);
    }
  }
  const labels = (host: string) => host.split(".").length;
  const hosts = [...keys].sort(([one], [other]) => labels(other) - labels(one));
  for (const [host, found] of hosts) collection.add({ senders: { local: "*", host }, keys: found });
  // Mail of a sub-domain without a key of its own is signed with its parent's.
  for (const [host, found] of hosts) {
    if (!host.includes("*")) collection.add({ senders: { local: "*", host: `*.${host}` }, keys: found });
  }
}

/** Offsets grow from call to call, so the text is gone through once. */
function lineCounter(text: string): (offset: number) => number {
  let [line, at] = [1, 0];
  return (offset) => {
    if (offset < at) [line, at] = [1, 0];
    for (; at < offset; at++) if (text[at] === "\n") line++;
    return line;
  };
}

/** Comments become nothing, and lines stay; what comes after `__END__` is no code. */
function withoutComments(text: string): string {
  const code: string[] = [];
  for (const line of text.split("\n")) {
    if (/^__(END|DATA)__\s*$/.test(line)) break;
    code.push(line.slice(0, 4 * MAX_CALL_CHARACTERS).replace(/("[^"\n]*"|'[^'\n]*')|#.*/g, "$1"));
  }
  return code.join("\n");
}

function readVariables(code: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  const assignments = code.matchAll(
    /^[ \t]*(?:my[ \t]+|our[ \t]+)?\$(\w+)[ \t]*=[ \t]*("[^"\n]*"|'[^'\n]*')[ \t]*;/gm,
  );
  for (const [, name, quoted] of assignments) {
    const value = readString(quoted!, variables);
    if (value === undefined || value.length > MAX_VALUE_CHARACTERS) variables.delete(name!);
    else variables.set(name!, value);
  }
  return variables;
}

/** Undefined where a variable in it is not known, as those that are set elsewhere. */
function readString(quoted: string, variables: ReadonlyMap<string, string>): string | undefined {
  const inner = quoted.slice(1, -1);
  if (quoted.startsWith("'")) return inner;
  let isKnown = true;
  const value = inner.replace(/\$(?:\{(\w+)\}|(\w+))|\\(.)/g, (_, braced, plain, escaped) => {
    if (escaped !== undefined) return escaped;
    const found = variables.get(braced ?? plain);
    isKnown &&= found !== undefined;
    return found ?? "";
  });
  return isKnown ? value : undefined;
}

/** The first three, each as far as it is understood. */
function readArguments(text: string, variables: ReadonlyMap<string, string>): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  let rest = text;
  while (found.length < 3) {
    const [whole, quoted, variable] = /^\s*(?:("[^"]*"|'[^']*')|\$(\w+)|[^,()]*)\s*/.exec(rest)!;
    found.push(quoted !== undefined ? readString(quoted, variables) : variables.get(variable ?? ""));
    rest = rest.slice(whole.length);
    if (!rest.startsWith(",")) break;
    rest = rest.slice(1);
  }
  return found;
}

function addKey(
  [domain, selector, file]: readonly (string | undefined)[],
  place: Place,
  keys: Map<string, ConfiguredKey[]>,
  collection: Collection,
): void {
  if (domain === undefined || selector === undefined) {
    collection.hidden(place, "only dkim_key('domain', 'selector', 'file') with plain texts is understood");
    return;
  }
  const parsed = parseDkimSelector(selector);
  if (!parsed.ok) return collection.hidden(place, `${quote(selector)} is no selector`);
  const isPattern = domain.includes("*");
  const name = parseDomainName(domain);
  if (!isPattern && !name.ok) {
    return collection.hidden(place, `${quote(domain)} is not a domain name: ${name.problem}`);
  }
  const host = name.ok ? name.value : domain.toLowerCase();
  const key = {
    signingDomain: isPattern ? SENDER_DOMAIN : host,
    dkimSelector: parsed.value,
    key:
      file === undefined
        ? { half: { ok: false as const, problem: "the name of its file is not a plain text" } }
        : { file: collection.resolve(file) },
    place,
  };
  keys.set(host, [...(keys.get(host) ?? []), key]);
}
