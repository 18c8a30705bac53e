/** Updates and transfers against servers that keep no rules; those that do are in test/servers/update.test.ts. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage, type Message, type WireRecord } from "../standards/dns/message.ts";
import { domainName } from "../standards/dns/name.ts";
import { parseTsigKey, signMessage, type TsigKey } from "../standards/dns/tsig.ts";
import { updateMessage } from "../standards/dns/update.ts";
import { parseZoneText } from "../standards/dns/zone-text.ts";
import { createDnsUpdateClient, type DnsUpdateClientOptions } from "./dns-update-client.ts";

const zone = domainName("example.org");
const NOW = 1_795_000_000_000;
const key = (() => {
  const parsed = parseTsigKey({ name: "key", algorithm: "hmac-sha256", secret: "c2VjcmV0" });
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
})();

let server: Server | undefined;
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server?.close();
  if (server) await once(server, "close");
  server = undefined;
});

/** A server that answers each request with these messages, and then says nothing. */
async function serve(
  answer: (request: Message) => readonly (Message | Uint8Array)[],
  options: Partial<DnsUpdateClientOptions> & { readonly hangsUp?: true; readonly inPieces?: boolean } = {},
) {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", (octets) => {
      const request = decodeMessage(new Uint8Array(octets.subarray(2)));
      if (!request.ok) throw new Error(request.problem);
      const framed = answer(request.value).map((each) => {
        const message = each instanceof Uint8Array ? each : encodeMessage(each);
        return Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message]);
      });
      const stream = Buffer.concat(framed);
      const step = options.inPieces ? 7 : stream.length;
      for (let at = 0; at < stream.length; at += step) socket.write(stream.subarray(at, at + step));
      if (options.hangsUp) socket.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return createDnsUpdateClient({
    server: { address: "127.0.0.1", port: address.port },
    now: () => NOW,
    updateTimeoutMilliseconds: 2_000,
    transferTimeoutMilliseconds: 2_000,
    ...options,
  });
}

const records = (text: string): WireRecord[] => {
  const parsed = parseZoneText(`$TTL 60\n${text}`, { origin: zone });
  expect(parsed.problems).toEqual([]);
  return [...parsed.records];
};
const SOA = records("@ SOA ns h 5 1 1 1 1\n");
const A = records("mail A 192.0.2.1\n");
/** Without the signature of the request. */
const replyTo = (
  { tsig, ...request }: Message,
  answers: readonly WireRecord[],
  more: Partial<Message> = {},
): Message => ({
  ...request,
  isResponse: true,
  authoritative: true,
  authorities: [],
  answers,
  ...more,
});

describe("a transfer", () => {
  it.each<[reason: string, parts: WireRecord[][]]>([
    ["in one message", [[...SOA, ...A, ...SOA]]],
    ["one record a message", [SOA, A, SOA]],
    ["an empty zone", [[...SOA, ...SOA]]],
  ])("%s", async (_reason, parts) => {
    const client = await serve((request) => parts.map((each) => replyTo(request, each)), { inPieces: true });
    const outcome = await client.transfer(zone);
    expect(outcome).toEqual({ status: "transferred", records: parts.flat().slice(0, -1) });
  });

  it("leaves out what is of another zone", async () => {
    const foreign = records("mail.example.net. A 192.0.2.66\n");
    const client = await serve((request) => [replyTo(request, [...SOA, ...foreign, ...SOA])]);
    expect(await client.transfer(zone)).toEqual({ status: "transferred", records: SOA });
  });

  const broken: [reason: string, parts: WireRecord[][], problem: string, more?: Partial<Message>][] = [
    ["no SOA at its start", [[...A, ...SOA]], "does not start with its SOA"],
    ["the SOA of another zone", [records("www SOA ns h 1 1 1 1 1\n")], "does not start with its SOA"],
    ["another SOA at its end", [[...SOA, ...records("@ SOA ns h 6 1 1 1 1\n")]], "two different SOA"],
    ["records behind its end", [[...SOA, ...SOA, ...A]], "behind the second SOA"],
    ["a message without records", [SOA, []], "without records"],
    ["another class", [[...SOA, ...A.map((each) => ({ ...each, classCode: 3 }))]], "class 3"],
    ["more records than are taken", [[...SOA, ...A, ...A, ...A, ...A]], "more than 4 records"],
    [
      "the answer to another question",
      [SOA],
      "another question",
      { questions: [{ name: zone, type: "IXFR" }] },
    ],
    ["another id", [SOA], "another request", { id: 1 }],
  ];
  it.each(broken)("%s is refused", async (_reason, parts, problem, more = {}) => {
    const client = await serve((request) => parts.map((each) => replyTo(request, each, more)), {
      maxTransferRecords: 4,
    });
    expect(await client.transfer(zone)).toEqual({
      status: "unreadable",
      problem: expect.stringContaining(problem),
    });
  });

  it("that is denied", async () => {
    const client = await serve((request) => [replyTo(request, [], { rcode: 5 })]);
    expect(await client.transfer(zone)).toEqual({ status: "denied", rcode: 5 });
  });

  it.each<[reason: string, options: Parameters<typeof serve>[1], detail: string]>([
    ["stops in its middle", {}, "no complete answer within 2 s"],
    ["breaks off", { hangsUp: true }, "closed the connection before its answer was complete"],
    ["sends more octets than are taken", { maxTransferOctets: 90 }, "more than 90 octets"],
  ])("a server that %s", async (_reason, options, detail) => {
    const client = await serve((request) => [replyTo(request, SOA), replyTo(request, A)], options);
    expect(await client.transfer(zone)).toEqual({
      status: "unreachable",
      detail: expect.stringContaining(detail),
      sent: true,
    });
  });

  it("that goes on without an end is ended by its bound", async () => {
    const many = Array.from({ length: 500 }, () => A).flat();
    const client = await serve(
      (request) => [SOA, ...Array(200).fill(many)].map((each) => replyTo(request, each)),
      {
        maxTransferOctets: 100_000,
      },
    );
    expect(await client.transfer(zone)).toMatchObject({ status: "unreachable" });
  });
});

describe("with a key", () => {
  const signed = (request: Message, answers: WireRecord[], by: TsigKey = key) =>
    signMessage(replyTo(request, answers), by, {
      timeSigned: NOW / 1000,
      requestMac: request.tsig!.record.data.mac,
    }).octets;

  it("a signed transfer counts", async () => {
    const client = await serve((request) => [signed(request, [...SOA, ...A, ...SOA])], { key });
    expect(await client.transfer(zone)).toMatchObject({ status: "transferred" });
  });

  it.each<[reason: string, answer: (request: Message) => (Message | Uint8Array)[], expected: object]>([
    [
      "an unsigned one does not",
      (request) => [replyTo(request, [...SOA, ...SOA])],
      { status: "unverified", verdict: { status: "unsigned" }, ourTime: NOW / 1000 },
    ],
    [
      "nor one whose last message is not signed",
      (request) => [signed(request, SOA), replyTo(request, [...A, ...SOA])],
      { status: "unreachable" },
    ],
    [
      "nor one that was changed",
      (request) => [signed(request, [...SOA, ...SOA]).map((octet, at) => (at === 3 ? octet ^ 0x20 : octet))],
      { status: "unverified", verdict: { status: "forged" } },
    ],
    [
      "nor one with records behind its end",
      (request) => [signed(request, SOA), replyTo(request, [...A, ...SOA]), replyTo(request, A)],
      { status: "unreadable" },
    ],
  ])("%s", async (_reason, answer, expected) => {
    const client = await serve(answer, { key });
    expect(await client.transfer(zone)).toMatchObject(expected);
  });

  it("an update is sent under a fresh id, and its answer is believed where it is signed", async () => {
    const ids: number[] = [];
    const client = await serve(
      (request) => {
        ids.push(request.id);
        return [signed(request, [])];
      },
      { key },
    );
    const after = { ttlSeconds: 60, data: A.map(({ data }) => data) };
    const update = updateMessage(0, zone, [
      { name: domainName("mail.example.org"), type: "A", before: undefined, after },
    ]);
    if (!update.ok) throw new Error(update.problem);
    for (let round = 0; round < 3; round++) {
      expect(await client.exchange(update.value)).toMatchObject({
        status: "answered",
        message: { rcode: 0 },
      });
    }
    expect(new Set(ids).size).toBeGreaterThan(1);
  });
});
