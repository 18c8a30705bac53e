import { awkwardMail, wireOctets } from "./support/awkward-mail.ts";
import { CANONICAL_PAIRS, PEER_KEYS, readMail, type DkimPeer } from "./support/dkim-peers.ts";
import { signMail, verifyMail } from "./support/dkim-mail.ts";
import { tableResolver, txt } from "./support/table-resolver.ts";
import { domainName } from "../src/standards/dns/name.ts";
const which = process.argv[2]!; const N = Number(process.argv[3] ?? 500);
const peer: DkimPeer = which === "dkimpy" ? await (await import("./support/dkimpy.ts")).startDkimpy() : which === "opendkim" ? await (await import("./support/opendkim.ts")).startOpendkim() : await (await import("./support/rspamd.ts")).startRspamd();
const resolver = tableResolver(Object.fromEntries(Object.values(PEER_KEYS).map(k => [k.owner, [txt(k.recordText)]])));
const sets = [[PEER_KEYS.r1024],[PEER_KEYS.r2048],[PEER_KEYS.ed],[PEER_KEYS.ed, PEER_KEYS.r2048],[PEER_KEYS.ed],[PEER_KEYS.r4096],[PEER_KEYS.r2048]];
const mails = Array.from({ length: N }, (_, n) => awkwardMail(7, n));
const wishes = mails.map((mail, n) => ({ mail, pair: CANONICAL_PAIRS[n % 4]!, keys: sets[n % sets.length]! }));
let t = performance.now();
const signed = await Promise.all(wishes.map(async ({ mail, pair, keys }) => { const [h, b] = pair.split("/") as any; const s = await signMail(mail, keys, { headerCanonicalization: h, bodyCanonicalization: b, now: new Date(), chunkOctets: 1000 }); return s; }));
console.log("signed ours", performance.now() - t); t = performance.now();
const results = await peer.verify(signed);
console.log("verified by peer", performance.now() - t); t = performance.now();

const F: Record<string, (m: any, pair: string) => boolean> = {
  blankColon: m => m.fields.some((f: any) => /[ \t]$/.test(f.name)),
  loneLF: m => /(?<!\r)\n/.test(m.body.toString("latin1")),
  loneCR: m => /\r(?!\n)/.test(m.body.toString("latin1")),
  endBlankNoEnd: m => /[ \t]$/.test(m.body.toString("latin1")),
  noEnd: m => m.body.length > 0 && !m.body.toString("latin1").endsWith("\r\n"),
  blankFold: m => m.fields.some((f: any) => /\r\n[ \t]+(\r\n|$)/.test(f.value)),
  leadFold: m => m.fields.some((f: any) => /^[ \t]*\r\n/.test(f.value)),
  foreignSig: m => m.fields.some((f: any) => f.key === "dkim-signature"),
  long: m => [...m.fields.map((f: any) => f.name + ":" + f.value), ...m.body.toString("latin1").split("\r\n")].some((l: string) => l.split("\r\n").some(x => x.length > 998)),
  many: m => m.fields.length > 300,
  empty: m => m.body.length === 0,
  onlyEmpty: m => m.body.length > 0 && /^[\r\n]*$/.test(m.body.toString("latin1")),
  startsEmptyValue: m => m.fields.some((f: any) => f.value === ""),
};
const feats = (n: number, pair: string) => Object.entries(F).filter(([, f]) => f(mails[n], pair)).map(([k]) => k).join(",");
const show = (m: any) => feats(m.number, "") ;
let bad = 0, shown = 0;
const skip0 = (process.argv[5] ?? "").split(",").filter(Boolean);
results.forEach((found, n) => { if (skip0.some(x => F[x]!(mails[n], ""))) return; for (const k of wishes[n]!.keys) if (found.get(k.dkimSelector) !== "pass") { bad++; if (shown++ < Number(process.argv[4] ?? 10)) console.log("OURS", n, wishes[n]!.pair, k.dkimSelector, [...found], show(mails[n])); } });
console.log("ours bad", bad);
const made = await peer.sign(wishes);
console.log("signed by peer", performance.now() - t); t = performance.now();
bad = 0; shown = 0; let none = 0;
const skip = (process.argv[5] ?? "").split(",").filter(Boolean);
for (const [n, fields] of made.entries()) {
  if (skip.some(x => F[x]!(mails[n], ""))) continue;
  if (fields.length === 0) { none++; if (shown++ < 3) console.log("NOT SIGNED", n, show(mails[n])); continue; }
  const octets = wireOctets({ fields: [...fields, ...mails[n]!.fields], body: mails[n]!.body });
  const back = readMail(octets, 700);
  const res = (await verifyMail(back, resolver, { now: new Date(), chunkOctets: 333 })).slice(0, fields.length);
  for (const r of res) if (r.result !== "pass") { bad++; if (shown++ < Number(process.argv[4] ?? 10)) console.log("THEIRS", n, wishes[n]!.pair, r.problem, show(mails[n])); }
}
console.log("theirs bad", bad, "none", none, performance.now() - t);
await peer.stop();
