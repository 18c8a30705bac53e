/**
 * The addresses of From, Sender and their like (RFC 5322 §3.4, with the obsolete forms of §4.4 and the UTF-8 of
 * RFC 6532), and the Author Domain that DMARC takes from them. One pass, no way back: the time grows with the length
 * of the value and nothing else.
 *
 * Beyond the grammar, what programs write without asking: characters that belong in quotes before an address in angle
 * brackets ("me@example.org <me@example.org>"), dots anywhere in a local part, a dot at the end of a domain. A reader
 * of mail shows such an address, so DMARC has to see its domain.
 */
import type { DomainName } from "../dns/name.ts";
import type { Parsed, Refused } from "../dns/parsed.ts";
import type { HeaderField, OctetText } from "./header-field.ts";
import { ATOM_OCTETS, StructuredText } from "./structured-text.ts";
import { domainNameOf } from "./utf8-text.ts";

export interface Mailbox {
  /** Quotation marks and comments removed, words one blank apart; encoded words (RFC 2047) stay as they are. */
  readonly displayName?: OctetText;
  /** As written, quotation marks kept, without comments and blanks. */
  readonly localPart: OctetText;
  /** As written, without comments and blanks; "[192.0.2.1]" for an address literal. */
  readonly domain: OctetText;
  /** Undefined for address literals, and where the text is no domain name. */
  readonly domainName?: DomainName;
}

/** A From field has one address; a To field of thousands would still be read by nobody. */
export const MAX_MAILBOXES = 1_000;
const MAX_VALUE_OCTETS = 1_048_576;

/** Reads all mailboxes, those of groups among them. A list may be empty, as that of an empty group is. */
export function parseAddressList(value: OctetText): Parsed<readonly Mailbox[]> {
  if (value.length > MAX_VALUE_OCTETS) {
    return { ok: false, problem: `the value is longer than ${MAX_VALUE_OCTETS} octets` };
  }
  return new AddressListReader(value).read();
}

interface Token {
  readonly kind: "atom" | "quoted" | "literal" | "." | "@" | ",";
  /** As written. */
  readonly text: OctetText;
  /** What it says: for a quoted string, what is in the quotes. */
  readonly says: OctetText;
  readonly offset: number;
}

class AddressListReader {
  readonly #text: StructuredText;
  readonly #mailboxes: Mailbox[] = [];

  constructor(value: OctetText) {
    this.#text = new StructuredText(value);
  }

  read(): Parsed<readonly Mailbox[]> {
    const text = this.#text;
    let isInGroup = false;
    for (;;) {
      const words = this.#tokens("phrase");
      if ("ok" in words) return words;
      let refused: Refused | undefined;
      if (text.take("<")) {
        refused = this.#angleAddress(words);
      } else if (text.text[text.at] === ":") {
        if (isInGroup) return text.refuse("a group within a group");
        if (words.length === 0) return text.refuse("a group has no name");
        text.at++;
        isInGroup = true;
        continue;
      } else if (words.length > 0) {
        refused = this.#addMailbox(words, undefined);
      }
      if (refused !== undefined) return refused;
      if (text.isAtEnd) break;
      if (text.take(",")) continue;
      if (!isInGroup || !text.take(";")) return text.refuse("an address, a comma or the end belongs here");
      isInGroup = false;
      const blanks = text.skipBlanks();
      if (blanks !== undefined) return blanks;
      if (text.isAtEnd) break;
      if (!text.take(",")) return text.refuse("a comma belongs between a group and what follows");
    }
    return isInGroup ? text.refuse("a group has no end") : { ok: true, value: this.#mailboxes };
  }

  /** Behind "<". */
  #angleAddress(words: readonly Token[]): Refused | undefined {
    const text = this.#text;
    const from = text.at - 1;
    let tokens = this.#tokens("address");
    if ("ok" in tokens) return tokens;
    if (text.take(":")) {
      // RFC 5322 §4.4: a route is passed over
      const isRoute = tokens[0]?.kind === "@" || tokens[0]?.kind === ",";
      if (!isRoute) return text.refuse("a colon does not belong into an address", text.at - 1);
      tokens = this.#tokens("address");
      if ("ok" in tokens) return tokens;
    }
    if (!text.take(">")) {
      return text.isAtEnd
        ? text.refuse('an address lacks its ">"', from)
        : text.refuse("a character does not belong into an address");
    }
    const refused =
      tokens.length === 0
        ? text.refuse("there is no address in the angle brackets", from)
        : this.#addMailbox(tokens, displayName(words));
    return refused ?? text.skipBlanks();
  }

  /** Commas and, outside of angle brackets, domain literals are tokens only where a route or a phrase has them. */
  #tokens(place: "phrase" | "address"): Token[] | Refused {
    const text = this.#text;
    const tokens: Token[] = [];
    for (;;) {
      const blanks = text.skipBlanks();
      if (blanks !== undefined) return blanks;
      const offset = text.at;
      const character = text.text[offset];
      if (character === '"') {
        const quoted = text.quotedString();
        if (!quoted.ok) return quoted;
        tokens.push({
          kind: "quoted",
          text: text.text.slice(offset, text.at),
          says: quoted.value,
          offset,
        });
      } else if (character === "[") {
        const end = this.#literalEnd();
        if (typeof end !== "number") return end;
        text.at = end;
        const says = text.text.slice(offset, end);
        tokens.push({ kind: "literal", text: says, says, offset });
      } else if (character === "." || character === "@" || (character === "," && place === "address")) {
        text.at++;
        tokens.push({ kind: character, text: character, says: character, offset });
      } else {
        const atom = text.run(ATOM_OCTETS);
        if (atom === "") return tokens;
        tokens.push({ kind: "atom", text: atom, says: atom, offset });
      }
    }
  }

  /** RFC 5322 §3.4.1: no bracket within; quoted pairs are of §4.4. */
  #literalEnd(): number | Refused {
    const { text } = this.#text;
    for (let at = this.#text.at + 1; at < text.length; at++) {
      const character = text[at];
      if (character === "\\") at++;
      else if (character === "]") return at + 1;
      else if (character === "[") return this.#text.refuse("a bracket within brackets", at);
    }
    return this.#text.refuse('a "[" has no "]"');
  }

  #addMailbox(tokens: readonly Token[], name: OctetText | undefined): Refused | undefined {
    const offset = tokens[0]?.offset ?? this.#text.at;
    const at = tokens.findIndex(({ kind }) => kind === "@");
    if (at < 0) return this.#text.refuse('an address has no "@"', offset);
    const local = tokens.slice(0, at);
    const domain = tokens.slice(at + 1);
    const refused =
      this.#refuseWords(local, "the local part", ["atom", "quoted"]) ??
      (domain.length === 1 && domain[0]!.kind === "literal"
        ? undefined
        : this.#refuseWords(domain, "the domain", ["atom"]));
    if (refused !== undefined) return refused;
    if (this.#mailboxes.length === MAX_MAILBOXES) {
      return this.#text.refuse(`there are more than ${MAX_MAILBOXES} addresses`, offset);
    }
    const written = textOf(domain);
    const parsed = domain[0]!.kind === "literal" ? undefined : domainNameOf(written);
    this.#mailboxes.push({
      ...(name === undefined ? {} : { displayName: name }),
      localPart: textOf(local),
      domain: written,
      ...(parsed === undefined ? {} : { domainName: parsed }),
    });
    return undefined;
  }

  /** Words with dots between them. */
  #refuseWords(tokens: readonly Token[], what: string, kinds: readonly Token["kind"][]): Refused | undefined {
    const { length } = tokens;
    if (length === 0) return this.#text.refuse(`${what} of an address is empty`);
    for (let at = 0; at < length; at++) {
      const { kind, offset } = tokens[at]!;
      if (kind === ".") continue;
      if (!kinds.includes(kind)) return this.#text.refuse(`"${kind}" does not belong into ${what}`, offset);
      const before = tokens[at - 1];
      if (before !== undefined && before.kind !== ".") {
        return this.#text.refuse(`a dot is missing within ${what}`, offset);
      }
    }
    return undefined;
  }
}

function textOf(tokens: readonly Token[]): OctetText {
  return tokens.length === 1 ? tokens[0]!.text : tokens.map(({ text }) => text).join("");
}

/** Blanks between words are one; what stood without a blank, as "J." does, stays so. */
function displayName(words: readonly Token[]): OctetText | undefined {
  if (words.length === 0) return undefined;
  let name = "";
  let end = words[0]!.offset;
  for (const { says, text, offset } of words) {
    name += offset > end ? ` ${says}` : says;
    end = offset + text.length;
  }
  return name;
}

/** What stands behind an "@" inside angle brackets, whatever is around it. */
function domainsInBrackets(value: OctetText): DomainName[] {
  return [...value.matchAll(/<[^<>]{0,320}>/g)].slice(0, MAX_FROM_FIELDS).flatMap(([bracketed]) => {
    const domain = domainNameOf(bracketed.slice(bracketed.lastIndexOf("@") + 1, -1).trim());
    return bracketed.includes("@") && domain !== undefined ? [domain] : [];
  });
}

export type AuthorDomains =
  | { readonly status: "one"; readonly domain: DomainName }
  /**
   * Several domains; or one, beside an address without a domain or in a second From field. Each is named once, so
   * that a receiver can ask for all of them.
   */
  | { readonly status: "several"; readonly domains: readonly DomainName[]; readonly problem: string }
  | { readonly status: "none"; readonly problem: string };

/** A message with this many From fields is told as it is; no more of them are read. */
const MAX_FROM_FIELDS = 10;

/**
 * The Author Domain (RFC 9989 §5.3.1). Several addresses of one domain have one. Anything that does not lead to
 * exactly one domain is told, since it may be meant to escape DMARC (§11.5).
 */
export function authorDomainsOf(fields: readonly HeaderField[]): AuthorDomains {
  const froms = fields.filter(({ key }) => key === "from");
  const domains = new Set<DomainName>();
  let problem: string | undefined;
  for (const { value } of froms.slice(0, MAX_FROM_FIELDS)) {
    const mailboxes = parseAddressList(value);
    if (!mailboxes.ok) {
      problem ??= `the From field cannot be read: ${mailboxes.problem}`;
      // Mail programs show an address all the same, as of "Doe, J <j@example.org>".
      for (const domain of domainsInBrackets(value)) domains.add(domain);
      continue;
    }
    for (const { domain, domainName } of mailboxes.value) {
      if (domainName !== undefined) domains.add(domainName);
      else if (domain.startsWith("[")) problem ??= "From has an address without a domain name";
      else problem ??= "From has an address whose domain is no domain name";
    }
  }
  const [domain, ...more] = domains;
  if (froms.length === 0) return { status: "none", problem: "the message has no From field" };
  if (domain === undefined) return { status: "none", problem: problem ?? "there is no address in From" };
  if (froms.length > 1) problem = `the message has ${froms.length} From fields`;
  else if (more.length > 0) problem = `From names ${domains.size} domains`;
  return problem === undefined
    ? { status: "one", domain }
    : { status: "several", domains: [domain, ...more], problem };
}
