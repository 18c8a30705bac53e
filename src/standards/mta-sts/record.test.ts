import { describe, expect, it } from "vitest";
import { cname, tableResolver, txt } from "../../../test/support/table-resolver.ts";
import { domainName } from "../dns/name.ts";
import { explainMtaStsRecord } from "./explain.ts";
import { lookupMtaStsRecord } from "./lookup.ts";
import { formatMtaStsRecord, parseMtaStsRecord, remarksOnMtaStsRecord } from "./record.ts";

const LONG = "a".repeat(33);

describe("parseMtaStsRecord", () => {
  it.each<[text: string, id: string | undefined, remarks: string[], reason: string]>([
    ["v=STSv1; id=20160831085700Z;", "20160831085700Z", [], "the example of §3.1"],
    ["v=STSv1;id=1", "1", [], "no blanks, no final semicolon"],
    ["v=STSv1 ; id=1 ; ", "1", [], "blanks around separators"],
    ["v=STSv1; x-y.z=1; id=1", "1", ["notice mta-sts-unknown-field"], "extensions are ignored, in any order"],
    ["v=STSv1; id=1; id=2;", "1", ["warning mta-sts-duplicate-id"], "the first counts (§3.2)"],
    ["v=STSv1;", undefined, ["error mta-sts-id"], "id is required"],
    ["v=STSv1", undefined, ["error mta-sts-version"], "no separator behind the version"],
    ["v=stsv1; id=1", undefined, ["error mta-sts-version"], "the version has case"],
    ["v=STSv2; id=1", undefined, ["error mta-sts-version"], "another version"],
    ["id=1; v=STSv1;", undefined, ["error mta-sts-version"], "the version must be first"],
    [" v=STSv1; id=1", undefined, ["error mta-sts-version"], "nothing in front"],
    ["v=STSv1; id=2026-11-21", undefined, ["error mta-sts-id"], "letters and digits only"],
    ["v=STSv1; id=", undefined, ["error mta-sts-id"], "empty"],
    [`v=STSv1; id=${LONG}`, undefined, ["error mta-sts-id"], "33 characters"],
    [`v=STSv1; id=${LONG.slice(1)}`, LONG.slice(1), [], "32 characters"],
    ["v=STSv1; id = 1", undefined, ["error mta-sts-id"], "no blanks around ="],
    ["v=STSv1;; id=1", undefined, ["error mta-sts-syntax"], "empty part"],
    ["v=STSv1; id=1; hello", undefined, ["error mta-sts-syntax"], "no value"],
    ["v=STSv1; id=1; a=b=c", undefined, ["error mta-sts-syntax"], "= in a value"],
    ["v=STSv1; ID=1", undefined, ["notice mta-sts-unknown-field", "error mta-sts-id"], "id has case"],
    ["", undefined, ["error mta-sts-version"], "empty"],
  ])("%j", (text, id, remarks, reason) => {
    const parsed = parseMtaStsRecord(text);
    expect(parsed.ok ? parsed.value.id : undefined, reason).toBe(id);
    expect(
      remarksOnMtaStsRecord(text).map(({ severity, code }) => `${severity} ${code}`),
      reason,
    ).toEqual(remarks);
  });

  it("is the inverse of formatting", () => {
    expect(parseMtaStsRecord(formatMtaStsRecord({ id: "20261121" }))).toEqual({
      ok: true,
      value: { id: "20261121" },
    });
  });
});

describe("lookupMtaStsRecord", () => {
  const resolver = tableResolver(
    {
      "_mta-sts.one.example": [txt("v=STSv1; id=1;"), txt("something else")],
      "_mta-sts.two.example": [txt("v=STSv1; id=1;"), txt("v=STSv1; id=2;")],
      "_mta-sts.bad.example": [txt("v=STSv1; id=-;")],
      "_mta-sts.other.example": [txt("v=spf1 -all")],
      "_mta-sts.alias.example": [cname("_mta-sts.one.example")],
    },
    { "_mta-sts.late.example TXT": "timeout" },
  );
  it.each([
    ["one.example", { status: "found", record: { id: "1" } }, "others are discarded"],
    ["two.example", { status: "several" }, "more than one is none"],
    ["bad.example", { status: "invalid" }, "an invalid one is none"],
    ["other.example", { status: "absent", kind: "no-record" }, "no record among the TXT"],
    ["alias.example", { status: "found" }, "aliases are followed (§3.1)"],
    ["none.example", { status: "absent", kind: "nxdomain" }, "no such name"],
    ["late.example", { status: "unknown", cause: "timeout" }, "could not tell"],
  ])("%s", async (domain, expected, reason) => {
    expect(await lookupMtaStsRecord(domainName(domain), resolver), reason).toMatchObject(expected);
  });
});

it("explains each field", () => {
  expect(explainMtaStsRecord("v=STSv1; id=1; x=y").terms.map(({ text }) => text)).toEqual([
    "v=STSv1",
    "id=1",
    "x=y",
  ]);
});
