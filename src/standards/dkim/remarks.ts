/** What is wrong, risky or outdated in a DKIM key record. */
import type { Remark } from "../dns/remark.ts";
import { splitTags, type Tag } from "../dns/tag-list.ts";
import {
  type ActiveDkimKeyRecord,
  type DkimKeyReading,
  type DkimKeyRecord,
  decodeBase64,
  type InvalidDkimKey,
  isTagName,
  parseDkimKey,
  shortened,
  withoutBlanks,
} from "./key-record.ts";
import { isBareRsaKey, type RsaDkimKey } from "./public-key.ts";

/** `reading` spares decoding the key a second time where it is at hand. */
export function remarksOnDkimKey(text: string, reading: DkimKeyReading = parseDkimKey(text)): Remark[] {
  const { tags, emptyAt } = splitTags(text);
  const separators = emptyAt.map((offset) => {
    const message = "an empty part between two semicolons; some verifiers refuse the record for it";
    return { ...remark("dkim-empty-part", "warning", "RFC 6376 §3.2", undefined, message), offset };
  });
  const common = [...blankRemarks(tagOf(tags, "p")), ...separators, ...unknownTagRemarks(tags)];
  switch (reading.status) {
    case "invalid":
      return [invalidRemark(reading), ...common];
    case "revoked": {
      const message = "p= is empty: the key is revoked, and every signature that names it fails";
      return [remark("dkim-revoked", "notice", "RFC 6376 §3.6.1", tagOf(tags, "p"), message), ...common];
    }
    case "valid":
      return [...keyRemarks(reading.record, tags, text), ...settingRemarks(reading.record, tags), ...common];
    default:
      return reading satisfies never;
  }
}

function remark(
  code: string,
  severity: Remark["severity"],
  reference: string,
  tag: Tag | undefined,
  message: string,
): Remark {
  const plain = { code, severity, message, reference };
  return tag === undefined ? plain : { ...plain, offset: tag.offset, length: tag.text.length };
}

const tagOf = (tags: readonly Tag[], name: string) => tags.find((tag) => tag.name === name);

const INVALID_REFERENCES: Readonly<Partial<Record<InvalidDkimKey["code"], string>>> = {
  "dkim-syntax": "RFC 6376 §3.2",
  "dkim-duplicate-tag": "RFC 6376 §3.2",
  "dkim-ed25519-encoding": "RFC 8463 §4",
};

function invalidRemark({ code, problem, offset, length }: InvalidDkimKey): Remark {
  return {
    code,
    severity: "error",
    message: `verifiers find no key here: ${problem}`,
    reference: INVALID_REFERENCES[code] ?? "RFC 6376 §3.6.1",
    ...(offset !== undefined && { offset, length }),
  };
}

/**
 * Blanks in p= are allowed, but nobody writes them on purpose. One at the seam of a 255-octet string tells
 * its own story: `"…" "…"` was copied from a zone file, and only the quotes were removed.
 */
function blankRemarks(p: Tag | undefined): Remark[] {
  if (p?.value === undefined) return [];
  const remarks: Remark[] = [];
  // The string that holds the first seam may begin with the record or with the key.
  let starts = [0, p.valueOffset];
  for (const blank of p.value.matchAll(/[ \t\r\n]+/g)) {
    const offset = p.valueOffset + blank.index;
    const isSeam = starts.some((start) => isStringLength(offset - start));
    starts = [offset + blank[0].length];
    remarks.push({
      code: isSeam ? "dkim-chunk-join-scar" : "dkim-blank-in-key",
      severity: "warning",
      message: isSeam
        ? "a blank in p= where two strings of a zone file met: the key was copied with the gap between the quotes; some verifiers fail on it, so remove it"
        : "a blank in p=: allowed, but probably damage from copying, and some verifiers fail on it; remove it",
      reference: "RFC 6376 §3.6.1",
      offset,
      length: blank[0].length,
    });
  }
  return remarks;
}

const isStringLength = (length: number): boolean => length >= 200 && length <= 255;

const KNOWN_TAGS = ["v", "h", "k", "n", "p", "s", "t"];

function unknownTagRemarks(tags: readonly Tag[]): Remark[] {
  return tags.flatMap((tag) => {
    if (!isTagName(tag.name) || KNOWN_TAGS.includes(tag.name)) return [];
    if (tag.name === "g") {
      const message = "g= was removed from DKIM and is ignored; take it out";
      return [remark("dkim-obsolete-tag", "notice", "RFC 6376 §E", tag, message)];
    }
    if (KNOWN_TAGS.includes(tag.name.toLowerCase())) {
      const message = `${tag.name}= is ignored: tag names are case-sensitive; write ${tag.name.toLowerCase()}=`;
      return [remark("dkim-tag-case", "warning", "RFC 6376 §3.2", tag, message)];
    }
    const message = `verifiers ignore the unknown tag "${shortened(tag.name)}"`;
    return [remark("dkim-unknown-tag", "notice", "RFC 6376 §3.6.1", tag, message)];
  });
}

function keyRemarks({ key }: ActiveDkimKeyRecord, tags: readonly Tag[], text: string): Remark[] {
  const p = tagOf(tags, "p")!;
  const padding = paddingRemarks(p);
  return key.keyType === "rsa" ? [...rsaRemarks(key, p, text), ...padding] : padding;
}

function paddingRemarks(p: Tag): Remark[] {
  if (withoutBlanks(p.value!).length % 4 === 0) return [];
  const message = 'the base64 in p= lacks its "=" at the end; some decoders refuse it';
  return [remark("dkim-base64-padding", "warning", "RFC 6376 §2.10", p, message)];
}

function rsaRemarks({ modulusBits, publicExponent }: RsaDkimKey, p: Tag, text: string): Remark[] {
  const remarks: Remark[] = [];
  const add = (code: string, severity: Remark["severity"], reference: string, message: string) =>
    remarks.push(remark(code, severity, reference, p, message));
  if (modulusBits < 1024) {
    const message = `an RSA key of ${modulusBits} bits: verifiers must not accept it; make one of 2048 bits`;
    add("dkim-key-too-short", "error", "RFC 8301 §3.2", message);
  } else if (modulusBits < 2048) {
    const message = `an RSA key of ${modulusBits} bits is the weakest that verifiers still take; make one of 2048 bits`;
    add("dkim-key-short", "warning", "RFC 8301 §3.2", message);
  } else if (modulusBits > 4096) {
    const message = `verifiers need not support RSA keys over 4096 bits, and this one has ${modulusBits}; 2048 are enough`;
    add("dkim-key-too-long", "warning", "RFC 8301 §3.2", message);
  } else if (modulusBits > 2048) {
    const message = `an RSA key of ${modulusBits} bits makes a record of ${text.length} characters, which many DNS forms cut; 2048 bits are enough`;
    add("dkim-key-long", "notice", "RFC 8301 §3.2", message);
  }
  if (publicExponent < 3n || publicExponent % 2n === 0n) {
    const message = `the public exponent ${publicExponent} makes the key worthless; make a new one`;
    add("dkim-weak-exponent", "error", "RFC 8017 §3.1", message);
  }
  if (isBareRsaKey(decodeBase64(p.value!)!)) {
    const message =
      "p= holds a bare RSAPublicKey (PKCS #1); most records hold a SubjectPublicKeyInfo, and some verifiers know only that";
    add("dkim-bare-rsa-key", "notice", "RFC 6376 §3.6.1", message);
  }
  return remarks;
}

function settingRemarks(record: DkimKeyRecord, tags: readonly Tag[]): Remark[] {
  const remarks = hashRemarks(record, tagOf(tags, "h"));
  const [s, t] = [tagOf(tags, "s"), tagOf(tags, "t")];
  if (!record.services.some((service) => service === "*" || service === "email")) {
    const message = `s=${s?.value ?? ""} does not include email, so verifiers ignore the key for mail`;
    remarks.push(remark("dkim-service", "error", "RFC 6376 §3.6.1", s, message));
  }
  if (record.testing) {
    const message = "t=y says that DKIM is only being tested: verifiers may treat the mail as unsigned";
    remarks.push(remark("dkim-testing", "warning", "RFC 6376 §3.6.1", t, message));
  }
  if (record.strictIdentity) {
    const message = "t=s: signatures with an i= in a sub-domain of d= fail";
    remarks.push(remark("dkim-strict-identity", "notice", "RFC 6376 §3.6.1", t, message));
  }
  return remarks;
}

function hashRemarks({ hashes }: DkimKeyRecord, h: Tag | undefined): Remark[] {
  if (hashes === undefined) return [];
  if (!hashes.includes("sha256")) {
    const only = hashes.includes("sha1") ? "only sha1, which must not be used any more" : "no known hash";
    const message = `h= allows ${only}: no signature with this key can pass; write h=sha256 or leave h= out`;
    return [
      remark(
        hashes.includes("sha1") ? "dkim-only-sha1" : "dkim-no-known-hash",
        "error",
        "RFC 8301 §3.1",
        h,
        message,
      ),
    ];
  }
  if (!hashes.includes("sha1")) return [];
  const message = "h= still lists sha1, which verifiers refuse; h=sha256 says all";
  return [remark("dkim-sha1-listed", "notice", "RFC 8301 §3.1", h, message)];
}
