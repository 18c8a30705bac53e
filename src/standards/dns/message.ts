/** DNS messages (RFC 1035 §4) with EDNS (RFC 6891) and extended errors (RFC 8914), to octets and back. */
import { type DomainName, ROOT } from "./name.ts";
import type { Parsed } from "./parsed.ts";
import { readOpaque, readRdata, writeRdata } from "./rdata-wire.ts";
import {
  type Rdata,
  type RecordType,
  type ResourceRecord,
  type TsigRdata,
  TYPE_CODES,
  typeCode,
  typeName,
  typeOf,
} from "./record.ts";
import { WireError, WireReader, WireWriter } from "./wire.ts";

export const CLASS_IN = 1;

/** RFC 1035 §4.1.1, RFC 2136 §2.2, RFC 6891 §9, RFC 8945 §3: the codes a reader meets; others stay numbers. */
export const RCODES = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADCOOKIE: 23,
} as const;

/** For people: "SERVFAIL", or "RCODE 12" where the code has no name here. */
export function rcodeName(rcode: number): string {
  return Object.entries(RCODES).find(([, code]) => code === rcode)?.[0] ?? `RCODE ${rcode}`;
}

export interface Question {
  readonly name: DomainName;
  readonly type: RecordType;
  /** 1 (IN) where absent. */
  readonly classCode?: number;
}

/** A record as packets carry it; `classCode` is absent for IN and set for the classes of RFC 2136 and TSIG. */
export interface WireRecord<D extends Rdata = Rdata> extends ResourceRecord<D> {
  readonly classCode?: number;
}

/** RFC 6891 §6.1 */
export interface Edns {
  readonly udpPayloadOctets: number;
  readonly version: number;
  /** DO: send DNSSEC records too (RFC 3225). */
  readonly dnssecOk: boolean;
  readonly options: readonly { readonly code: number; readonly data: Uint8Array }[];
}

export interface Message {
  readonly id: number;
  readonly isResponse: boolean;
  readonly opcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly authenticData: boolean;
  readonly checkingDisabled: boolean;
  /** All twelve bits, the upper eight from EDNS. */
  readonly rcode: number;
  readonly questions: readonly Question[];
  readonly answers: readonly WireRecord[];
  readonly authorities: readonly WireRecord[];
  /** Without OPT and TSIG, which stand apart below. */
  readonly additionals: readonly WireRecord[];
  readonly edns?: Edns;
  /** The TSIG record at the end (RFC 8945 §5), and where it starts: the MAC covers what stands before. */
  readonly tsig?: { readonly record: WireRecord<TsigRdata>; readonly offset: number };
}

const OPCODE_QUERY = 0;

/** A query for one name and type, RFC 1035 §4.1; everything else as plain queries have it. */
export function queryMessage(
  id: number,
  question: Question,
  flags: { recursionDesired: boolean; authenticData?: boolean; checkingDisabled?: boolean; edns?: Edns },
): Message {
  return {
    id,
    isResponse: false,
    opcode: OPCODE_QUERY,
    authoritative: false,
    truncated: false,
    recursionDesired: flags.recursionDesired,
    recursionAvailable: false,
    authenticData: flags.authenticData ?? false,
    checkingDisabled: flags.checkingDisabled ?? false,
    rcode: RCODES.NOERROR,
    questions: [question],
    answers: [],
    authorities: [],
    additionals: [],
    ...(flags.edns && { edns: flags.edns }),
  };
}

const FLAG = { response: 0x8000, aa: 0x0400, tc: 0x0200, rd: 0x0100, ra: 0x0080, ad: 0x0020, cd: 0x0010 };
const EDNS_DO = 0x8000;
export const MAX_MESSAGE_OCTETS = 65_535;

/** Throws a RangeError for values that a packet cannot hold: a bug of the caller, or a record that is too long. */
export function encodeMessage(message: Message): Uint8Array {
  const writer = new WireWriter();
  const { edns, tsig } = message;
  writer.uint16(message.id, "id");
  writer.uint16(
    (message.isResponse ? FLAG.response : 0) |
      ((message.opcode & 0xf) << 11) |
      (message.authoritative ? FLAG.aa : 0) |
      (message.truncated ? FLAG.tc : 0) |
      (message.recursionDesired ? FLAG.rd : 0) |
      (message.recursionAvailable ? FLAG.ra : 0) |
      (message.authenticData ? FLAG.ad : 0) |
      (message.checkingDisabled ? FLAG.cd : 0) |
      (message.rcode & 0xf),
    "flags",
  );
  if (message.rcode > 0xf && edns === undefined) throw new RangeError(`RCODE ${message.rcode} needs EDNS`);
  writer.uint16(message.questions.length, "question count");
  writer.uint16(message.answers.length, "answer count");
  writer.uint16(message.authorities.length, "authority count");
  writer.uint16(message.additionals.length + (edns ? 1 : 0) + (tsig ? 1 : 0), "additional count");
  const records = [...message.answers, ...message.authorities, ...message.additionals];
  for (const question of message.questions) {
    writer.name(question.name, records.length > 0 || tsig !== undefined);
    writer.uint16(typeCode(question.type), "question type");
    writer.uint16(question.classCode ?? CLASS_IN, "question class");
  }
  for (const record of records) writeRecord(record, writer);
  if (edns) writeEdns(edns, message.rcode, writer);
  if (tsig) writeRecord(tsig.record, writer);
  if (writer.at > MAX_MESSAGE_OCTETS)
    throw new RangeError(`the message has ${writer.at} octets; 65535 are allowed`);
  return writer.finish();
}

function writeRecord(record: WireRecord, writer: WireWriter): void {
  writer.name(record.name, record.data.type !== "TSIG"); // RFC 8945 §4.2: the key name stays whole
  writer.uint16(typeCode(typeOf(record.data)), "type");
  writer.uint16(record.classCode ?? CLASS_IN, "class");
  writer.uint32(record.ttlSeconds, "TTL");
  writer.counted("data length", () => writeRdata(record.data, writer));
}

function writeEdns(edns: Edns, rcode: number, writer: WireWriter): void {
  writer.name(ROOT, false);
  writer.uint16(TYPE_CODES.OPT, "type");
  writer.uint16(edns.udpPayloadOctets, "EDNS payload size");
  writer.uint8(rcode >> 4, "extended RCODE");
  writer.uint8(edns.version, "EDNS version");
  writer.uint16(edns.dnssecOk ? EDNS_DO : 0, "EDNS flags");
  writer.counted("EDNS options", () => {
    for (const { code, data } of edns.options) {
      writer.uint16(code, "EDNS option");
      writer.uint16(data.length, "EDNS option length");
      writer.bytes(data);
    }
  });
}

/** Reads one whole message; the problem names the octet at which the packet breaks the rules. */
export function decodeMessage(octets: Uint8Array): Parsed<Message> {
  try {
    return { ok: true, value: readMessage(new WireReader(octets)) };
  } catch (error) {
    if (error instanceof WireError) return { ok: false, problem: error.message, offset: error.offset };
    throw error;
  }
}

function readMessage(reader: WireReader): Message {
  const id = reader.uint16("header");
  const flags = reader.uint16("header");
  const questionCount = reader.uint16("header");
  const answerCount = reader.uint16("header");
  const authorityCount = reader.uint16("header");
  const additionalCount = reader.uint16("header");
  const questions: Question[] = [];
  for (let n = questionCount; n > 0; n--) questions.push(readQuestion(reader));
  const answers = readSection("answer", answerCount, reader);
  const authorities = readSection("authority", authorityCount, reader);
  const { edns, extendedRcode, tsig, records: additionals } = readAdditionals(additionalCount, reader);
  if (reader.remaining > 0) throw new WireError(`${reader.remaining} octets behind the message`, reader.at);
  return {
    id,
    isResponse: (flags & FLAG.response) !== 0,
    opcode: (flags >> 11) & 0xf,
    authoritative: (flags & FLAG.aa) !== 0,
    truncated: (flags & FLAG.tc) !== 0,
    recursionDesired: (flags & FLAG.rd) !== 0,
    recursionAvailable: (flags & FLAG.ra) !== 0,
    authenticData: (flags & FLAG.ad) !== 0,
    checkingDisabled: (flags & FLAG.cd) !== 0,
    rcode: (extendedRcode << 4) | (flags & 0xf),
    questions,
    answers,
    authorities,
    additionals,
    ...(edns && { edns }),
    ...(tsig && { tsig }),
  };
}

function readQuestion(reader: WireReader): Question {
  const name = reader.name("question name");
  const type = typeName(reader.uint16("question type"));
  const classCode = reader.uint16("question class");
  return classCode === CLASS_IN ? { name, type } : { name, type, classCode };
}

interface RecordHead {
  readonly offset: number;
  readonly name: DomainName;
  readonly typeCode: number;
  readonly classCode: number;
  readonly ttl: number;
  readonly length: number;
}

function readHead(reader: WireReader): RecordHead {
  const offset = reader.at;
  const name = reader.name("owner name");
  const code = reader.uint16("record type");
  const classCode = reader.uint16("record class");
  const ttl = reader.uint32("record TTL");
  const length = reader.uint16("data length");
  if (length > reader.remaining) throw new WireError("record data is cut off", reader.at);
  return { offset, name, typeCode: code, classCode, ttl, length };
}

function readRecord(head: RecordHead, reader: WireReader): WireRecord {
  const outer = reader.end;
  reader.end = reader.at + head.length;
  const type = typeName(head.typeCode);
  // RFC 2136 §2.4–2.5: records of class ANY and NONE may have no data whatever their type
  const bare = head.length === 0 && head.classCode !== CLASS_IN;
  const data = bare ? readOpaque(head.typeCode, reader) : readRdata(type, reader);
  if (reader.remaining > 0) {
    throw new WireError(`${reader.remaining} octets too many in ${type} data`, reader.at);
  }
  reader.end = outer;
  // RFC 2181 §8: a TTL with the top bit set counts as zero
  const record = { name: head.name, ttlSeconds: head.ttl > 0x7fff_ffff ? 0 : head.ttl, data };
  return head.classCode === CLASS_IN ? record : { ...record, classCode: head.classCode };
}

function readSection(section: string, count: number, reader: WireReader): WireRecord[] {
  const records: WireRecord[] = [];
  for (let n = count; n > 0; n--) {
    const head = readHead(reader);
    if (head.typeCode === TYPE_CODES.OPT || head.typeCode === TYPE_CODES.TSIG) {
      throw new WireError(`${typeName(head.typeCode)} in the ${section} section`, head.offset);
    }
    records.push(readRecord(head, reader));
  }
  return records;
}

function readAdditionals(count: number, reader: WireReader) {
  const records: WireRecord[] = [];
  let edns: Edns | undefined;
  let extendedRcode = 0;
  let tsig: Message["tsig"];
  for (let n = count; n > 0; n--) {
    const head = readHead(reader);
    if (tsig) throw new WireError("a record behind TSIG", head.offset); // RFC 8945 §5.1
    if (head.typeCode === TYPE_CODES.OPT) {
      if (edns) throw new WireError("a second OPT record", head.offset); // RFC 6891 §6.1.1
      if (head.name !== ROOT) throw new WireError("OPT at a name other than the root", head.offset);
      extendedRcode = head.ttl >>> 24;
      edns = readEdns(head, reader);
    } else {
      const record = readRecord(head, reader);
      if (record.data.type === "TSIG")
        tsig = { record: record as WireRecord<TsigRdata>, offset: head.offset };
      else records.push(record);
    }
  }
  return { records, edns, extendedRcode, tsig };
}

function readEdns(head: RecordHead, reader: WireReader): Edns {
  const outer = reader.end;
  reader.end = reader.at + head.length;
  const options: { code: number; data: Uint8Array }[] = [];
  while (reader.remaining > 0) {
    const code = reader.uint16("EDNS option");
    options.push({ code, data: reader.bytes(reader.uint16("EDNS option length"), "EDNS option") });
  }
  reader.end = outer;
  return {
    udpPayloadOctets: head.classCode,
    version: (head.ttl >>> 16) & 0xff,
    dnssecOk: (head.ttl & EDNS_DO) !== 0,
    options,
  };
}

const OPTION_EXTENDED_ERROR = 15;

/** RFC 8914 §2: why a server says no, in its own words where it gives any. */
export interface ExtendedError {
  readonly infoCode: number;
  /** The registered purpose of the code: "DNSSEC Bogus". */
  readonly purpose: string;
  readonly extraText: string;
}

export function extendedErrors(message: Message): ExtendedError[] {
  return (message.edns?.options ?? [])
    .filter(({ code, data }) => code === OPTION_EXTENDED_ERROR && data.length >= 2)
    .map(({ data }) => {
      const infoCode = (data[0]! << 8) | data[1]!;
      const purpose = EXTENDED_ERROR_PURPOSES[infoCode] ?? `error ${infoCode}`;
      return { infoCode, purpose, extraText: new TextDecoder().decode(data.subarray(2)).replace(/\0+$/, "") };
    });
}

/** RFC 8914 §5.2, by code. */
const EXTENDED_ERROR_PURPOSES = [
  "other error",
  "unsupported DNSKEY algorithm",
  "unsupported DS digest type",
  "stale answer",
  "forged answer",
  "DNSSEC indeterminate",
  "DNSSEC bogus",
  "signature expired",
  "signature not yet valid",
  "DNSKEY missing",
  "RRSIGs missing",
  "no zone key bit set",
  "NSEC missing",
  "cached error",
  "not ready",
  "blocked",
  "censored",
  "filtered",
  "prohibited",
  "stale NXDOMAIN answer",
  "not authoritative",
  "not supported",
  "no reachable authority",
  "network error",
  "invalid data",
];
