import { describe, expect, it } from "vitest";
import { domainName } from "../dns/name.ts";
import { explainSrv } from "./explain.ts";
import { CLIENT_SERVICES, parseSrvText, remarksOnSrv, remarksOnSrvSet, serviceOf } from "./srv.ts";

const line = (text: string) => {
  const parsed = parseSrvText(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
};

describe("remarksOnSrv", () => {
  it.each<[text: string, remarks: string[], reason: string]>([
    ...CLIENT_SERVICES.filter(({ port }) => port !== 80).map(
      ({ srvName, port }): [string, string[], string] => [
        `${srvName}._tcp.example.org SRV 0 1 ${port} mail.example.org.`,
        [],
        "the right port of each service",
      ],
    ),
    [
      "_imaps._tcp.example.org SRV 0 1 143 mail.example.org.",
      ["error srv-wrong-port"],
      "TLS on the STARTTLS port",
    ],
    ["_imaps._tcp.example.org SRV 0 1 995 mail.example.org.", ["error srv-wrong-port"], "the port of POP3"],
    [
      "_imap._tcp.example.org SRV 0 1 993 mail.example.org.",
      ["error srv-wrong-port"],
      "STARTTLS on the TLS port",
    ],
    [
      "_submissions._tcp.example.org SRV 0 1 587 mail.example.org.",
      ["error srv-wrong-port"],
      "submission swapped",
    ],
    [
      "_submission._tcp.example.org SRV 0 1 25 mail.example.org.",
      ["error srv-wrong-port"],
      "port 25 is not for clients",
    ],
    [
      "_xmpp-client._tcp.example.org SRV 0 5 5269 xmpp.example.org.",
      ["error srv-wrong-port"],
      "XMPP swapped",
    ],
    [
      "_xmpps-client._tcp.example.org SRV 0 5 443 xmpp.example.org.",
      ["notice srv-unusual-port"],
      "through firewalls",
    ],
    [
      "_caldavs._tcp.example.org SRV 0 1 8443 dav.example.org.",
      ["notice srv-unusual-port"],
      "any port is allowed",
    ],
    [
      "_caldav._tcp.example.org SRV 0 1 80 dav.example.org.",
      ["warning srv-clear-text"],
      "passwords in the open",
    ],
    ["_imap._tcp.example.org SRV 0 0 0 .", ["notice srv-not-offered"], "RFC 6186 §3.4"],
    [
      "_imap._tcp.example.org SRV 0 0 143 .",
      ["notice srv-not-offered", "notice srv-not-offered-port"],
      "a port beside",
    ],
    ["_imap._tcp.example.org SRV 0 0 0 mail.example.org.", ["error srv-port-zero"], "port 0 with a target"],
    ["_imaps._tcp.example.org SRV 0 1 993 192.0.2.1", ["error srv-target-address"], "R76: an address"],
    ["_imaps._tcp.example.org SRV 0 1 993 2001:db8::1", ["error srv-target-address"], "an IPv6 address"],
    ["_imaps._tcp.example.org SRV 0 1 993 mail", ["error srv-target-name"], "a bare label"],
    ["_imaps._tcp.example.org SRV 0 1 993 _mail.example.org", ["error srv-target-name"], "an underscore"],
    [
      "_imaps._tcp.example.org SRV 0 1 993 mail.example.org.example.org.",
      ["error srv-target-doubled"],
      "E9: final dot missing",
    ],
    ["_imaps._tcp.example.org SRV 0 1 993 example.org.", [], "the domain itself"],
    ["_imaps._udp.example.org SRV 0 1 993 mail.example.org.", ["error srv-protocol"], "mail has no UDP"],
    ["_sip._udp.example.org SRV 0 1 5060 sip.example.org.", [], "not our business"],
    ["0 1 993 mail.example.org.", [], "no owner, nothing to compare with"],
  ])("%s", (text, remarks, reason) => {
    const { owner, data } = line(text);
    expect(
      remarksOnSrv(owner, data).map(({ severity, code }) => `${severity} ${code}`),
      reason,
    ).toEqual(remarks);
  });
});

describe("remarksOnSrvSet", () => {
  const [off, on] = ["0 0 0 .", "0 1 993 mail.example.org."].map((text) => line(text).data);
  it.each([
    [[on!], [], "one"],
    [[off!], [], "not offered"],
    [[on!, on!], [], "two"],
    [[on!, off!], ["srv-not-offered-beside-others"], "both at once"],
  ])("%#", (records, codes, reason) => {
    expect(
      remarksOnSrvSet(records).map(({ code }) => code),
      reason,
    ).toEqual(codes);
  });
});

describe("parseSrvText", () => {
  it.each([
    ["0 5 5222 xmpp.example.org.", undefined, "data alone"],
    [
      "_xmpp-client._tcp.example.org. 18000 IN SRV 0 5 5222 xmpp.example.org.",
      "_xmpp-client._tcp.example.org",
      "a zone line",
    ],
    [
      "_xmpp-client._tcp.example.org. SRV 0 5 5222 xmpp.example.org",
      "_xmpp-client._tcp.example.org",
      "without TTL and class",
    ],
  ])("%s", (text, owner, reason) => {
    const data = { type: "SRV", priority: 0, weight: 5, port: 5222, target: "xmpp.example.org" };
    expect(parseSrvText(text), reason).toEqual({ ok: true, value: { owner, data } });
  });

  it.each([
    ["", "empty"],
    ["0 1 mail.example.org", "no port"],
    ["0 1 65536 mail.example.org", "no port has this number"],
    ["0 1 993 a..b", "no name"],
    ["a..b SRV 0 1 993 mail.example.org", "no owner name"],
  ])("refuses %j", (text, reason) => {
    expect(parseSrvText(text).ok, reason).toBe(false);
  });
});

it("finds the service of a name", () => {
  expect(serviceOf(domainName("_imaps._tcp.example.org"))).toMatchObject({ port: 993, implicitTls: true });
  expect(serviceOf(domainName("_sip._tcp.example.org"))).toBeUndefined();
});

it("explains each part", () => {
  const { terms } = explainSrv("_imaps._tcp.example.org SRV 0 1 993 mail.example.org.");
  expect(terms.map(({ text }) => text)).toEqual([
    "_imaps._tcp.example.org",
    "0",
    "1",
    "993",
    "mail.example.org",
  ]);
  expect(terms[0]?.meaning).toBe("Where to find IMAP with TLS.");
  expect(explainSrv("nonsense").remarks).toMatchObject([{ code: "srv-syntax" }]);
});
