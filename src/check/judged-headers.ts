/** The header of a message that somebody received: what their server made of it (RFC 8601), and where to look next. */
import { parseAuthenticationResults } from "../standards/auth-results/header.ts";
import { type DomainName, isHostName, parseDomainName } from "../standards/dns/name.ts";
import { authorDomainsOf } from "../standards/message/address-list.ts";
import { headerField } from "../standards/message/header-field.ts";
import type { Symptom } from "./troubleshoot.ts";

/** One word of a receiver about the message. */
export interface HeaderJudgement {
  /** Who says it: the authserv-id. */
  readonly by: string;
  /** "spf", "dkim", "dmarc" and others. */
  readonly method: string;
  readonly result: string;
  /** What it says beside, in its own words. */
  readonly detail: string;
  /** Whose domain it is about, where it names one. */
  readonly domain: DomainName | undefined;
  /** What goes on from here, where it is no good news. */
  readonly symptom: Symptom | undefined;
}

export interface JudgedHeaders {
  /** Of From, where it names one domain alone. */
  readonly domain: DomainName | undefined;
  readonly judgements: readonly HeaderJudgement[];
}

const MAX_CHARACTERS = 200_000;
const MAX_JUDGEMENTS = 100;
const MAX_DETAIL = 300;

const FIELDS = /^(Authentication-Results|From)[ \t]{0,10}:(.{0,2000}(?:\r?\n[ \t].{0,2000}){0,100})/gim;

/** Undefined where nobody has judged the message. */
export function readJudgedHeaders(text: string): JudgedHeaders | undefined {
  const octets = Buffer.from(text.slice(0, MAX_CHARACTERS), "utf8").toString("latin1");
  const fields = [...octets.matchAll(FIELDS)].map(([, name, value]) => headerField(name!, value!));
  const judgements = fields
    .filter(({ key }) => key === "authentication-results")
    .flatMap(({ value }) => judgementsOf(value))
    .slice(0, MAX_JUDGEMENTS);
  if (judgements.length === 0) return undefined;
  const author = authorDomainsOf(fields);
  const own = author.status === "one" ? author.domain : undefined;
  return { domain: own ?? judgements.find(({ method }) => method === "dmarc")?.domain, judgements };
}

function judgementsOf(value: string): readonly HeaderJudgement[] {
  const read = parseAuthenticationResults(value);
  if (!read.ok) return [];
  const { authservId, results } = read.value;
  return results.map(({ method, result, reason, comment, properties }) => ({
    by: asText(authservId),
    method,
    result,
    detail: asText(reason ?? comment ?? "").slice(0, MAX_DETAIL),
    domain: domainOf(
      properties.find(({ ptype, property }) => ABOUT[method]?.includes(`${ptype}.${property}`))?.value,
    ),
    symptom: GOOD.includes(result) ? undefined : SYMPTOM_OF[method],
  }));
}

/** RFC 8601 §2.7: which property names the domain. */
const ABOUT: Readonly<Record<string, readonly string[]>> = {
  spf: ["smtp.mailfrom", "smtp.helo"],
  dkim: ["header.d", "header.i"],
  dmarc: ["header.from"],
};

const SYMPTOM_OF: Readonly<Record<string, Symptom>> = {
  spf: "spf-fails",
  dkim: "dkim-fails",
  dmarc: "marked-as-spam",
};

/** `temperror`: the receiver could not tell, and the domain may be fine. */
const GOOD = ["pass", "temperror", "bestguesspass"];

function domainOf(value: string | undefined): DomainName | undefined {
  const name = value === undefined ? undefined : parseDomainName(value.slice(value.lastIndexOf("@") + 1));
  return name?.ok && isHostName(name.value) ? name.value : undefined;
}

const asText = (octets: string): string => Buffer.from(octets, "latin1").toString("utf8");
