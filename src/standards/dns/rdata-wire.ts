/** Record data on the wire, one row per type. A row reads exactly what its RFC defines; what is left over is an error. */
import { formatAddress, parseIpv4, parseIpv6 } from "./address.ts";
import { type OpaqueRdata, type Rdata, type RecordType, typeCode, typeName } from "./record.ts";
import { WireError, type WireReader, type WireWriter } from "./wire.ts";

/** Reads the data of one record; `reader.end` is the end of that data. */
export function readRdata(type: RecordType, reader: WireReader): Rdata {
  switch (type) {
    case "A":
      return { type, address: formatAddress(reader.view(4, "A address")) };
    case "AAAA":
      return { type, address: formatAddress(reader.view(16, "AAAA address")) };
    case "NS":
    case "CNAME":
    case "PTR":
    case "DNAME":
      return { type, target: reader.name(`${type} target`) };
    case "SOA":
      return {
        type,
        primary: reader.name("SOA primary"),
        mailbox: reader.name("SOA mailbox"),
        serial: reader.uint32("SOA serial"),
        refreshSeconds: reader.uint32("SOA refresh"),
        retrySeconds: reader.uint32("SOA retry"),
        expireSeconds: reader.uint32("SOA expire"),
        minimumSeconds: reader.uint32("SOA minimum"),
      };
    case "MX":
      return { type, preference: reader.uint16("MX preference"), exchange: reader.name("MX exchange") };
    case "TXT":
    case "SPF":
      return { type, strings: readStrings(type, reader) };
    case "SRV":
      return {
        type,
        priority: reader.uint16("SRV priority"),
        weight: reader.uint16("SRV weight"),
        port: reader.uint16("SRV port"),
        target: reader.name("SRV target"), // RFC 3597 §4: readers decompress SRV all the same
      };
    case "CAA": {
      const flags = reader.uint8("CAA flags");
      const tag = reader.characterString("CAA tag");
      if (tag === "") throw new WireError("CAA tag is empty", reader.at - 1);
      return { type, flags, tag, value: reader.text(reader.remaining, "CAA value") };
    }
    case "TLSA":
      return {
        type,
        usage: reader.uint8("TLSA usage"),
        tlsaSelector: reader.uint8("TLSA selector"),
        matchingType: reader.uint8("TLSA matching type"),
        associationData: reader.rest("TLSA data"),
      };
    case "DS":
      return {
        type,
        keyTag: reader.uint16("DS key tag"),
        algorithm: reader.uint8("DS algorithm"),
        digestType: reader.uint8("DS digest type"),
        digest: reader.rest("DS digest"),
      };
    case "DNSKEY":
      return {
        type,
        flags: reader.uint16("DNSKEY flags"),
        protocol: reader.uint8("DNSKEY protocol"),
        algorithm: reader.uint8("DNSKEY algorithm"),
        publicKey: reader.rest("DNSKEY key"),
      };
    case "RRSIG":
      return {
        type,
        typeCovered: typeName(reader.uint16("RRSIG type covered")),
        algorithm: reader.uint8("RRSIG algorithm"),
        labels: reader.uint8("RRSIG labels"),
        originalTtlSeconds: reader.uint32("RRSIG original TTL"),
        expiration: reader.uint32("RRSIG expiration"),
        inception: reader.uint32("RRSIG inception"),
        keyTag: reader.uint16("RRSIG key tag"),
        signerName: reader.name("RRSIG signer", false), // RFC 4034 §3.1.7
        signature: reader.rest("RRSIG signature"),
      };
    case "NSEC":
      return { type, nextName: reader.name("NSEC next name", false), types: readTypeBitmap(reader) }; // RFC 4034 §4.1.1
    case "NSEC3":
      return {
        type,
        hashAlgorithm: reader.uint8("NSEC3 hash algorithm"),
        flags: reader.uint8("NSEC3 flags"),
        iterations: reader.uint16("NSEC3 iterations"),
        salt: reader.bytes(reader.uint8("NSEC3 salt length"), "NSEC3 salt"),
        nextHashedOwner: reader.bytes(reader.uint8("NSEC3 hash length"), "NSEC3 next hashed owner"),
        types: readTypeBitmap(reader),
      };
    case "SVCB":
    case "HTTPS":
      return {
        type,
        priority: reader.uint16(`${type} priority`),
        target: reader.name(`${type} target`, false), // RFC 9460 §2.2
        parameters: readSvcParameters(type, reader),
      };
    case "TSIG":
      return {
        type,
        algorithm: reader.name("TSIG algorithm"),
        timeSigned: reader.uint48("TSIG time"),
        fudgeSeconds: reader.uint16("TSIG fudge"),
        mac: reader.bytes(reader.uint16("TSIG MAC size"), "TSIG MAC"),
        originalId: reader.uint16("TSIG original id"),
        error: reader.uint16("TSIG error"),
        otherData: reader.bytes(reader.uint16("TSIG other length"), "TSIG other data"),
      };
    default:
      return readOpaque(typeCode(type), reader);
  }
}

export function readOpaque(code: number, reader: WireReader): OpaqueRdata {
  return { type: "OPAQUE", typeCode: code, octets: reader.rest("data") };
}

function readStrings(type: string, reader: WireReader): string[] {
  const strings: string[] = [];
  do strings.push(reader.characterString(`${type} string`));
  while (reader.remaining > 0);
  return strings;
}

/** RFC 4034 §4.1.2: windows in ascending order, 1 to 32 octets each, no trailing zero octet needed. */
function readTypeBitmap(reader: WireReader): RecordType[] {
  const types: RecordType[] = [];
  let previous = -1;
  while (reader.remaining > 0) {
    const at = reader.at;
    const window = reader.uint8("type bitmap window");
    if (window <= previous) throw new WireError("type bitmap windows are out of order", at);
    previous = window;
    const length = reader.uint8("type bitmap length");
    if (length < 1 || length > 32) throw new WireError(`a type bitmap window of ${length} octets`, at + 1);
    const bits = reader.view(length, "type bitmap");
    for (let bit = 0; bit < 8 * length; bit++) {
      if ((bits[bit >> 3]! & (0x80 >> (bit & 7))) !== 0) types.push(typeName(256 * window + bit));
    }
  }
  return types;
}

function readSvcParameters(type: string, reader: WireReader): { key: number; value: Uint8Array }[] {
  const parameters: { key: number; value: Uint8Array }[] = [];
  let previous = -1;
  while (reader.remaining > 0) {
    const at = reader.at;
    const key = reader.uint16(`${type} parameter key`);
    if (key <= previous) throw new WireError(`${type} parameters are out of order`, at);
    previous = key;
    parameters.push({
      key,
      value: reader.bytes(reader.uint16(`${type} parameter length`), `${type} parameter`),
    });
  }
  return parameters;
}

/** Writes the data alone, without its length. Throws a RangeError for values that the type cannot hold. */
export function writeRdata(data: Rdata, writer: WireWriter): void {
  switch (data.type) {
    case "A":
      return writer.bytes(octetsOf(parseIpv4(data.address)));
    case "AAAA":
      return writer.bytes(octetsOf(parseIpv6(data.address)));
    case "NS":
    case "CNAME":
    case "PTR":
      return writer.name(data.target, true);
    case "DNAME":
      return writer.name(data.target, false); // RFC 6672 §2.5
    case "SOA":
      writer.name(data.primary, true);
      writer.name(data.mailbox, true);
      writer.uint32(data.serial, "SOA serial");
      writer.uint32(data.refreshSeconds, "SOA refresh");
      writer.uint32(data.retrySeconds, "SOA retry");
      writer.uint32(data.expireSeconds, "SOA expire");
      return writer.uint32(data.minimumSeconds, "SOA minimum");
    case "MX":
      writer.uint16(data.preference, "MX preference");
      return writer.name(data.exchange, true);
    case "TXT":
    case "SPF":
      if (data.strings.length === 0) throw new RangeError(`${data.type} needs at least one string`);
      for (const string of data.strings) writer.characterString(string, `${data.type} string`);
      return;
    case "SRV":
      writer.uint16(data.priority, "SRV priority");
      writer.uint16(data.weight, "SRV weight");
      writer.uint16(data.port, "SRV port");
      return writer.name(data.target, false);
    case "CAA":
      writer.uint8(data.flags, "CAA flags");
      if (data.tag === "") throw new RangeError("CAA tag is empty");
      writer.characterString(data.tag, "CAA tag");
      return writer.text(data.value, "CAA value");
    case "TLSA":
      writer.uint8(data.usage, "TLSA usage");
      writer.uint8(data.tlsaSelector, "TLSA selector");
      writer.uint8(data.matchingType, "TLSA matching type");
      return writer.bytes(data.associationData);
    case "DS":
      writer.uint16(data.keyTag, "DS key tag");
      writer.uint8(data.algorithm, "DS algorithm");
      writer.uint8(data.digestType, "DS digest type");
      return writer.bytes(data.digest);
    case "DNSKEY":
      writer.uint16(data.flags, "DNSKEY flags");
      writer.uint8(data.protocol, "DNSKEY protocol");
      writer.uint8(data.algorithm, "DNSKEY algorithm");
      return writer.bytes(data.publicKey);
    case "RRSIG":
      writer.uint16(typeCode(data.typeCovered), "RRSIG type covered");
      writer.uint8(data.algorithm, "RRSIG algorithm");
      writer.uint8(data.labels, "RRSIG labels");
      writer.uint32(data.originalTtlSeconds, "RRSIG original TTL");
      writer.uint32(data.expiration, "RRSIG expiration");
      writer.uint32(data.inception, "RRSIG inception");
      writer.uint16(data.keyTag, "RRSIG key tag");
      writer.name(data.signerName, false);
      return writer.bytes(data.signature);
    case "NSEC":
      writer.name(data.nextName, false);
      return writeTypeBitmap(data.types, writer);
    case "NSEC3":
      writer.uint8(data.hashAlgorithm, "NSEC3 hash algorithm");
      writer.uint8(data.flags, "NSEC3 flags");
      writer.uint16(data.iterations, "NSEC3 iterations");
      writer.uint8(data.salt.length, "NSEC3 salt length");
      writer.bytes(data.salt);
      writer.uint8(data.nextHashedOwner.length, "NSEC3 hash length");
      writer.bytes(data.nextHashedOwner);
      return writeTypeBitmap(data.types, writer);
    case "SVCB":
    case "HTTPS":
      writer.uint16(data.priority, `${data.type} priority`);
      writer.name(data.target, false);
      for (const { key, value } of data.parameters.toSorted((x, y) => x.key - y.key)) {
        writer.uint16(key, `${data.type} parameter key`);
        writer.uint16(value.length, `${data.type} parameter length`);
        writer.bytes(value);
      }
      return;
    case "TSIG":
      writer.name(data.algorithm, false);
      writer.uint48(data.timeSigned, "TSIG time");
      writer.uint16(data.fudgeSeconds, "TSIG fudge");
      writer.uint16(data.mac.length, "TSIG MAC size");
      writer.bytes(data.mac);
      writer.uint16(data.originalId, "TSIG original id");
      writer.uint16(data.error, "TSIG error");
      writer.uint16(data.otherData.length, "TSIG other length");
      return writer.bytes(data.otherData);
    case "OPAQUE":
      return writer.bytes(data.octets);
    default:
      data satisfies never;
  }
}

function octetsOf(address: ReturnType<typeof parseIpv4>): Uint8Array {
  if (!address.ok) throw new RangeError(address.problem);
  return address.value.octets;
}

function writeTypeBitmap(types: readonly RecordType[], writer: WireWriter): void {
  const windows = Map.groupBy(
    types.map(typeCode).sort((x, y) => x - y),
    (code) => code >> 8,
  );
  for (const [window, codes] of windows) {
    const bits = new Uint8Array(((codes.at(-1)! & 0xff) >> 3) + 1);
    for (const code of codes) bits[(code & 0xff) >> 3]! |= 0x80 >> (code & 7);
    writer.uint8(window, "type bitmap window");
    writer.uint8(bits.length, "type bitmap length");
    writer.bytes(bits);
  }
}
