/** A record behind an alias belongs to somebody else: a fix never deletes there, and makes nothing beside the alias. */
import { expect, it } from "vitest";
import { BARE, DOMAIN, HEALTHY } from "../../test/support/healthy-world.ts";
import { edited, tableWorld } from "../../test/support/table-world.ts";
import { checkDomain } from "./check.ts";

it("leaves a DKIM key that a service keeps for the domain to the service", async () => {
  const zone = edited(HEALTHY, {
    without: ["default._domainkey.example.org"],
    add: [
      "default._domainkey.example.org. CNAME key.example.net.",
      'key.example.net. TXT "v=DKIM1; k=rsa; p=AB CD"',
    ],
  });
  const { findings } = await checkDomain(DOMAIN, tableWorld({ zone }), {
    ...BARE,
    dkimSelectors: ["default"],
  });
  const key = findings.filter(({ code, severity }) => code.startsWith("dkim-") && severity === "error");
  expect(key.length).toBeGreaterThan(0);
  expect(
    findings.flatMap(({ fix }) => fix?.changes ?? []).filter(({ owner }) => owner.endsWith("example.net")),
  ).toEqual([]);
  expect(key.map(({ fix }) => fix?.changes ?? [])).toEqual(key.map(() => []));
});
