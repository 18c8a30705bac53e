import { expect, it } from "vitest";
import { type Table, tableResolver, txt } from "../../../test/support/table-resolver.ts";
import { domainName } from "../dns/name.ts";
import { authorizationName, lookupReportAuthorization, needsAuthorization } from "./external-reports.ts";

const SENDER = domainName("blue.example.com");
const DESTINATION = domainName("red.example.net");
const NAME = "blue.example.com._report._dmarc.red.example.net";

it("authorizationName, as RFC 9990 §4 builds it", () => {
  expect(authorizationName(SENDER, DESTINATION)).toBe(NAME);
});

it.each<[string, Table, object]>([
  ["a concrete record", { [NAME]: [txt("v=DMARC1")] }, { status: "authorized", overridingUris: [] }],
  ["a trailing semicolon", { [NAME]: [txt("v=DMARC1;")] }, { status: "authorized" }],
  [
    "a wildcard",
    { "*._report._dmarc.red.example.net": [txt("v=DMARC1;")] },
    { status: "authorized", name: NAME },
  ],
  ["one good among others", { [NAME]: [txt("hello"), txt("v=DMARC1")] }, { status: "authorized" }],
  [
    "another address at the same host",
    { [NAME]: [txt("v=DMARC1; rua=mailto:x@red.example.net")] },
    { status: "authorized", overridingUris: ["mailto:x@red.example.net"] },
  ],
  [
    "an address at another host",
    { [NAME]: [txt("v=DMARC1; rua=mailto:x@victim.example")] },
    { status: "unauthorized" },
  ],
  ["something else", { [NAME]: [txt("DMARC1")] }, { status: "unauthorized", found: ["DMARC1"] }],
  ["nothing", {}, { status: "unauthorized", found: [] }],
  ["no answer", { [NAME]: "timeout" }, { status: "unknown", cause: "timeout" }],
])("%s", async (_what, table, expected) => {
  expect(await lookupReportAuthorization(SENDER, DESTINATION, tableResolver(table))).toMatchObject(expected);
});

it("a name that grows too long cannot be authorised", async () => {
  const long = domainName(Array.from({ length: 4 }, () => "a".repeat(56)).join("."));
  expect(await lookupReportAuthorization(long, DESTINATION, tableResolver({}))).toEqual({
    status: "unnameable",
  });
});

it.each([
  ["example.com", "example.com", false],
  ["example.com", "example.net", true],
])("reports of %s to %s need an agreement: %s", (sender, destination, expected) => {
  expect(needsAuthorization(domainName(sender), domainName(destination))).toBe(expected);
});
