/** What was done to a body whose hash is not that of bh=: changes that are known are undone, one after the other. */
import { createHash } from "node:crypto";
import type { HeaderField } from "../message/header-field.ts";
import { mimeStructureOf } from "../message/mime.ts";
import { BodyCanonicalizer, type Canonicalization } from "./canonical.ts";
import { type DiagnosisCause, type DkimDiagnosis, quoted } from "./diagnosis.ts";
import { type BodyChange, knownBodyChanges, withOwnLinks } from "./known-body-changes.ts";

export interface SignedBody {
  readonly canonicalization: Canonicalization;
  /** l=; undefined means all. */
  readonly length: number | undefined;
  /** bh= */
  readonly hash: Uint8Array;
}

/** A longer body is searched for added text at its end, and for nothing else. */
const MAX_BODY_OCTETS = 8 * 1_048_576;
/** Hashed in all, over every attempt. */
const MAX_WORK_OCTETS = 256 * 1_048_576;
/** Ends of lines at which the body is taken to have ended. */
const MAX_ENDS = 20_000;
/** Up to so many lines, text is looked for between any two. */
const MAX_LINES_FOR_ALL_PLACES = 150;
const MAX_FOOTER_LINES = 40;
const MAX_FOOTER_LINES_OF_TWO = 12;
const MAX_BANNER_LINES = 100;
const MAX_DELIMITERS = 40;
/** Of the parts of a message, so many are tried as its whole body. */
const MAX_PARTS = 50;
const MAX_EVIDENCE_LINES = 4;

export function diagnoseBody(
  fields: readonly HeaderField[],
  body: Buffer,
  signed: SignedBody,
): readonly DkimDiagnosis[] {
  const search = new BodySearch(signed);
  const isLong = body.length > MAX_BODY_OCTETS;
  const proven = (isLong ? undefined : search.simpleCauses(body)) ?? search.addedText(body);
  if (proven !== undefined) return [proven];
  if (isLong) return [];
  const wrapped = search.wrapped(fields, body);
  if (wrapped !== undefined) return [wrapped];
  for (const change of knownBodyChanges(fields, body)) {
    if (search.isExhausted) break;
    if (search.matches(change.undone)) return [provenBy(change)];
  }
  for (const change of knownBodyChanges(fields, body)) {
    if (search.isExhausted) break;
    const more = search.addedText(change.undone);
    if (more !== undefined) return [{ ...more, explanation: `${change.was} Besides: ${more.explanation}` }];
  }
  return signsIn(body);
}

function provenBy({ cause, was }: BodyChange): DkimDiagnosis {
  return { part: "body", cause, certainty: "proven", explanation: was, evidence: [] };
}

class BodySearch {
  readonly #signed: SignedBody;
  #work = 0;

  constructor(signed: SignedBody) {
    this.#signed = signed;
  }

  matches(body: Uint8Array, canonicalization = this.#signed.canonicalization): boolean {
    if (!this.#mayHash(body.length)) return false;
    const hash = createHash("sha256");
    const { length } = this.#signed;
    const canonical = canonicalBody(body, canonicalization);
    hash.update(length === undefined ? canonical : canonical.subarray(0, length));
    return hash.digest().equals(this.#signed.hash);
  }

  get isExhausted(): boolean {
    return this.#work > MAX_WORK_OCTETS;
  }

  #mayHash(octets: number): boolean {
    this.#work += octets + 64;
    return this.#work <= MAX_WORK_OCTETS;
  }

  simpleCauses(body: Buffer): DkimDiagnosis | undefined {
    const { canonicalization } = this.#signed;
    const other = canonicalization === "simple" ? "relaxed" : "simple";
    const proven = (cause: DiagnosisCause, explanation: string): DkimDiagnosis => ({
      part: "body",
      cause,
      certainty: "proven",
      explanation,
      evidence: [],
    });
    if (this.matches(new Uint8Array(0)) && canonicalBody(body, canonicalization).length > 2) {
      const explanation =
        "What was signed is an empty body: the signer did not get to see the text, or another program put it in later.";
      return proven("body-empty-signed", explanation);
    }
    if (this.matches(body, other)) {
      const explanation = `The body is unchanged, but the signer hashed it as "${other}" and wrote "${canonicalization}" into c=.`;
      return proven("body-canonicalization", explanation);
    }
    return undefined;
  }

  /** Whole lines that were put in: at the end, at the top, or before the end of one or two parts. */
  addedText(body: Buffer): DkimDiagnosis | undefined {
    if (this.#signed.length !== undefined) return undefined;
    const canonical = canonicalBody(body, this.#signed.canonicalization);
    const ends = lineEnds(canonical);
    const end = this.#footerStart(canonical, ends);
    if (end !== undefined) return added(canonical, [[end, canonical.length]], "at its end");
    if (canonical.length > MAX_BODY_OCTETS) return undefined;
    const starts = [0, ...ends];
    for (const [from, to] of this.#gaps(canonical, starts)) {
      if (!this.#mayHash(canonical.length)) return undefined;
      if (this.#matchesWithout(canonical, [[from, to]]))
        return added(canonical, [[from, to]], from === 0 ? "at its top" : "in it");
    }
    for (const gaps of twoGaps(canonical, starts)) {
      if (!this.#mayHash(canonical.length)) return undefined;
      if (this.#matchesWithout(canonical, gaps)) return added(canonical, gaps, "in two of its parts");
    }
    return undefined;
  }

  /** One pass: at every end of a line the hash is asked whether this was all. */
  #footerStart(canonical: Buffer, ends: readonly number[]): number | undefined {
    if (!this.#mayHash(canonical.length)) return undefined;
    const hash = createHash("sha256");
    const tried = ends.slice(Math.max(0, ends.length - 1 - MAX_ENDS), -1);
    let at = 0;
    for (const end of tried) {
      hash.update(canonical.subarray(at, end));
      at = end;
      if (hash.copy().digest().equals(this.#signed.hash)) return end;
    }
    return undefined;
  }

  *#gaps(canonical: Buffer, starts: readonly number[]): Generator<readonly [number, number]> {
    const lines = starts.length - 1;
    if (lines <= MAX_LINES_FOR_ALL_PLACES) {
      for (let from = 0; from < lines; from += 1)
        for (let to = from + 1; to < lines; to += 1) yield [starts[from]!, starts[to]!];
      return;
    }
    for (let to = 1; to < Math.min(lines, MAX_BANNER_LINES); to += 1) yield [0, starts[to]!];
    for (const to of delimiters(canonical, starts))
      for (let from = Math.max(0, to - MAX_FOOTER_LINES); from < to; from += 1)
        yield [starts[from]!, starts[to]!];
  }

  #matchesWithout(canonical: Buffer, gaps: readonly (readonly [number, number])[]): boolean {
    const hash = createHash("sha256");
    let at = 0;
    for (const [from, to] of gaps) {
      hash.update(canonical.subarray(at, from));
      at = to;
    }
    return hash.update(canonical.subarray(at)).digest().equals(this.#signed.hash);
  }

  /** The signed body is a part of this one, as where a list adds its footer as a part of its own. */
  wrapped(fields: readonly HeaderField[], body: Buffer): DkimDiagnosis | undefined {
    const queue = [mimeStructureOf(fields, body).root];
    for (let at = 0; at < queue.length && at < MAX_PARTS; at += 1) {
      const part = queue[at]!;
      queue.push(...part.parts);
      if (at === 0) continue;
      const own = body.subarray(part.start, part.end);
      if (!this.matches(own)) continue;
      return {
        part: "body",
        cause: "body-wrapped",
        certainty: "proven",
        explanation:
          "The signed body is whole, but it was made a part of a new multipart: lists and scanners do so to add a text of their own.",
        evidence: otherTexts(body, part.start, part.end),
      };
    }
    return undefined;
  }
}

export function canonicalBody(body: Uint8Array, canonicalization: Canonicalization): Buffer {
  const chunks: Uint8Array[] = [];
  // What is written is valid until the call returns.
  const canonicalizer = new BodyCanonicalizer(canonicalization, (octets) => chunks.push(octets.slice()));
  canonicalizer.update(body);
  canonicalizer.finish();
  return Buffer.concat(chunks);
}

/** The places behind each CRLF. */
function lineEnds(octets: Buffer): number[] {
  const ends: number[] = [];
  for (let at = octets.indexOf("\r\n"); at >= 0; at = octets.indexOf("\r\n", at + 2)) ends.push(at + 2);
  return ends;
}

/** Lines, by their number, that begin with two hyphens: before those of multiparts footers are put. */
function delimiters(canonical: Buffer, starts: readonly number[]): number[] {
  const found: number[] = [];
  for (const [line, start] of starts.entries()) {
    if (found.length >= MAX_DELIMITERS) break;
    if (line > 0 && canonical[start] === 0x2d && canonical[start + 1] === 0x2d) found.push(line);
  }
  return found;
}

function* twoGaps(
  canonical: Buffer,
  starts: readonly number[],
): Generator<readonly (readonly [number, number])[]> {
  const lines = delimiters(canonical, starts).slice(0, 8);
  for (const [at, first] of lines.entries()) {
    for (const second of lines.slice(at + 1)) {
      const firstFrom = Math.max(0, first - MAX_FOOTER_LINES_OF_TWO);
      for (let one = firstFrom; one < first; one += 1) {
        const otherFrom = Math.max(first + 1, second - MAX_FOOTER_LINES_OF_TWO);
        for (let other = otherFrom; other < second; other += 1) {
          yield [
            [starts[one]!, starts[first]!],
            [starts[other]!, starts[second]!],
          ];
        }
      }
    }
  }
}

function added(
  canonical: Buffer,
  gaps: readonly (readonly [number, number])[],
  where: string,
): DkimDiagnosis {
  const texts = gaps.map(([from, to]) => canonical.toString("latin1", from, to));
  const count = texts.reduce((sum, text) => sum + text.split("\r\n").length - 1, 0);
  const isBlank = texts.every((text) => text.trim() === "");
  const lines = `${count === 1 ? "One" : count}${isBlank ? " empty" : ""} ${count === 1 ? "line was" : "lines were"}`;
  return {
    part: "body",
    cause: isBlank ? "body-empty-lines" : "body-text-added",
    certainty: "proven",
    explanation: `${lines} added to the body ${where} after signing; without ${count === 1 ? "it" : "them"} the signature's hash is right.`,
    evidence: texts.flatMap(evidenceLines).slice(0, MAX_EVIDENCE_LINES),
  };
}

const evidenceLines = (text: string): readonly string[] =>
  text
    .slice(0, 4_000)
    .split("\r\n")
    .filter((line) => line.trim() !== "")
    .slice(0, MAX_EVIDENCE_LINES)
    .map(quoted);

/** What stands beside the part: the new text, but for delimiters and headers of parts. */
function otherTexts(body: Buffer, from: number, to: number): readonly string[] {
  const around =
    body.toString("latin1", Math.max(0, from - 2_000), from) + body.toString("latin1", to, to + 2_000);
  const lines = around.split("\r\n").filter((line) => !/^(?:--|[\w-]+:|[ \t])/.test(line));
  return evidenceLines(lines.join("\r\n"));
}

/** What tells of a change that cannot be undone here. */
function signsIn(body: Buffer): readonly DkimDiagnosis[] {
  const text = body.toString("latin1");
  const top = text.slice(0, MAX_SEARCHED);
  const likely = (cause: DiagnosisCause, explanation: string, evidence: string): DkimDiagnosis => ({
    part: "body",
    cause,
    certainty: "likely",
    explanation,
    evidence: [quoted(evidence)],
  });
  const links = withOwnLinks(text);
  const banner = BANNER.exec(top);
  const footer = LIST_FOOTER.exec(text.slice(-4_000));
  return [
    ...(links === undefined
      ? []
      : [
          likely(
            "body-links-rewritten",
            "Links in the body lead through a filter that has rewritten them.",
            links.first,
          ),
        ]),
    ...(banner === null
      ? []
      : [
          likely(
            "body-text-added",
            "A warning about mail from outside stands in the body, as filters add it.",
            banner[0],
          ),
        ]),
    ...(footer === null
      ? []
      : [
          likely(
            "body-text-added",
            "The body ends with what looks like the footer of a mailing list.",
            footer[1] ?? "",
          ),
        ]),
  ];
}

const MAX_SEARCHED = 65_536;
const BANNER =
  /[^\r\n<>]{0,40}\b(?:originated (?:from )?outside|external (?:e-?mail|sender|message)|(?:e-?mail|message) (?:came )?from outside)\b[^\r\n<>]{0,60}/i;
const LIST_FOOTER = /\r\n(?:_{20,}|-{20,}|--) ?\r\n([^\r\n]*(?:list|unsubscribe)[^\r\n]*)\r\n/i;
