/** An XMPP stream up to its features (RFC 6120): text is searched, no XML is built. */
import type { DomainName } from "../standards/dns/name.ts";
import { capability, cut, type Dialog, type Opening } from "./dialog.ts";
import type { LineSession } from "./line-session.ts";

export function xmppDialog(kind: "client" | "server", domain: DomainName): Dialog {
  const open = async (session: LineSession): Promise<Opening> => {
    session.begin("its stream features");
    const to = domain.replace(/[<>&'"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
    session.sendText(
      `<?xml version='1.0'?><stream:stream to='${to}' version='1.0' xmlns='jabber:${kind}' xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
    const text = await session.readThrough(FEATURES_OR_END, "<");
    const header = /<(?:[\w.-]+:)?stream(?:\s[^>]*)?>/.exec(text)?.[0];
    if (header === undefined) throw session.unexpected(text);
    const [, features] = /<(?:[\w.-]+:)?features\b[^>]*>(.*)$/s.exec(text) ?? [];
    if (features === undefined) {
      // RFC 6120 §4.9: a stream error names its condition, and the stream is over
      const condition = /<(?:[\w.-]+:)?error\b[^>]*>\s*<([\w-]+)/.exec(text)?.[1];
      const greeting = { text: cut(condition ?? header) };
      return { greeting, isWelcome: false, capabilities: [], offersTls: false };
    }
    const offersTls = /<(?:[\w.-]+:)?starttls\b/.test(features);
    const mechanisms = [...features.matchAll(/<mechanism>([^<]+)<\/mechanism>/g)].map(([, name]) => name!);
    const capabilities = [...(offersTls ? ["STARTTLS"] : []), ...mechanisms.map((name) => `SASL ${name}`)];
    return {
      greeting: { text: cut(header) },
      isWelcome: true,
      capabilities: capabilities.map(capability),
      offersTls,
    };
  };
  return {
    farewell: "</stream:stream>",
    open,
    async requestTls(session) {
      session.begin("its reply to starttls");
      session.sendText("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      const answer = await session.readThrough(PROCEED_OR_FAILURE, "<");
      return answer.includes("proceed") ? undefined : "failure";
    },
    // RFC 6120 §5.4.3.3: a new stream inside TLS
    async reopen(session) {
      return (await open(session)).capabilities;
    },
  };
}

const FEATURES_OR_END =
  /<\/(?:[\w.-]+:)?features\s*>|<(?:[\w.-]+:)?features\b[^>]*\/>|<\/(?:[\w.-]+:)?(?:error|stream)\s*>/;
const PROCEED_OR_FAILURE =
  /<(?:[\w.-]+:)?(?:proceed|failure)\b[^>]*\/>|<\/(?:[\w.-]+:)?(?:proceed|failure)\s*>/;
