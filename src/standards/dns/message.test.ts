import { describe, expect, it } from "vitest";
import {
  decodeMessage,
  encodeMessage,
  extendedErrors,
  type Message,
  queryMessage,
  RCODES,
} from "./message.ts";
import { domainName } from "./name.ts";

const exampleOrg = domainName("example.org");
const query = queryMessage(0x1234, { name: exampleOrg, type: "MX" }, { recursionDesired: true });

describe("messages", () => {
  it("writes the octets of RFC 1035 §4.1", () => {
    expect(Buffer.from(encodeMessage(query)).toString("hex")).toBe(
      "12340100000100000000000007 6578616d706c65 036f726700 000f0001".replaceAll(" ", ""),
    );
  });

  it("compresses names, and reads them back", () => {
    const reply: Message = {
      ...query,
      isResponse: true,
      answers: [
        {
          name: exampleOrg,
          ttlSeconds: 300,
          data: { type: "MX", preference: 10, exchange: domainName("mail.example.org") },
        },
      ],
    };
    const octets = encodeMessage(reply);
    expect(octets.length).toBe(12 + 17 + 2 + 10 + 2 + 7);
    expect(decodeMessage(octets)).toEqual({ ok: true, value: reply });
  });

  it("joins the two halves of an extended RCODE and reads extended errors", () => {
    const text = new TextEncoder().encode("signature expired");
    const edns = {
      udpPayloadOctets: 1232,
      version: 0,
      dnssecOk: true,
      options: [{ code: 15, data: Uint8Array.of(0, 7, ...text) }],
    };
    const decoded = decodeMessage(encodeMessage({ ...query, rcode: RCODES.BADCOOKIE, edns }));
    expect(decoded).toMatchObject({ ok: true, value: { rcode: RCODES.BADCOOKIE, edns } });
    expect(decoded.ok && extendedErrors(decoded.value)).toEqual([
      { infoCode: 7, purpose: "signature expired", extraText: "signature expired" },
    ]);
  });
});
