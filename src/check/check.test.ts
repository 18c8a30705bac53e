import { describe, expect, it } from "vitest";
import { BARE, DESCRIBED, DOMAIN, HEALTHY } from "../../test/support/healthy-world.ts";
import { tableWorld } from "../../test/support/table-world.ts";
import { checkDomain } from "./check.ts";

describe("checkDomain", () => {
  it.each([
    ["described", DESCRIBED],
    ["bare", BARE],
  ])("%s", async (_, options) => {
    const report = await checkDomain(DOMAIN, tableWorld({ zone: HEALTHY }), options);
    console.log(
      report.findings
        .map((f) => `${f.severity} ${f.code} ${f.owner}: ${f.observed.slice(0, 100)}`)
        .join("\n"),
    );
    expect(report.findings.filter(({ severity }) => severity !== "ok" && severity !== "notice")).toEqual([]);
  });
});
