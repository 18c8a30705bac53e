import { describe, expect, it } from "vitest";
import { BARE, DKIM_KEY, HEALTHY } from "../../test/support/healthy-world.ts";
import { edited, tableWorld } from "../../test/support/table-world.ts";
import { parseDescription } from "../records/description.ts";
import { domainName } from "../standards/dns/name.ts";
import { Context } from "./context.ts";
import { propose } from "./propose.ts";

const look = (
  edit: { without?: readonly string[]; add?: readonly string[] } = {},
  failing = {},
  known: readonly string[] = [],
) => {
  const world = tableWorld({ zone: edited(HEALTHY, { without: [], ...edit }), failing });
  return propose(new Context(domainName("example.org"), world, BARE), known.map(domainName));
};

describe("propose", () => {
  it("puts what is in DNS into the words of a description that can be used", async () => {
    const { content, servers, untold } = await look();
    expect(servers).toEqual([{ host: "mail.example.org", addresses: ["192.0.2.25", "2001:db8::25"] }]);
    expect(content).toMatchObject({
      domain: "example.org",
      spf: { mechanisms: ["mx"], include: ["_spf.example.net"], ending: "softfail" },
      dmarc: { policy: "quarantine", reports: ["dmarc@example.org", "example-org@reports.example.net"] },
      tlsReports: ["tls@example.org"],
      verification: ["some-site-verification=0123456789"],
    });
    expect(content["dkim"]).toEqual([{ selector: "default", publicKey: expect.stringContaining(DKIM_KEY) }]);
    expect(content).not.toHaveProperty("mx");
    expect(untold).toEqual([]);
    expect(parseDescription(JSON.stringify({ servers, domains: [content] }))).toMatchObject({ ok: true });
  });

  it("does not describe a server anew that is described", async () => {
    expect((await look({}, {}, ["mail.example.org"])).servers).toEqual([]);
  });

  it("says what could not be looked up, and proposes nothing of it", async () => {
    const { content, untold } = await look({}, { "_dmarc.example.org TXT": "timeout" });
    expect(content).not.toHaveProperty("dmarc");
    expect(untold).toEqual([expect.stringContaining("_dmarc.example.org TXT")]);
  });

  it.each<[add: string[], content: object, left: string[], reason: string]>([
    [["example.org. MX 0 ."], { receives: false }, [], "a null MX receives nothing"],
    [
      ["example.org. MX 10 mx.example.net."],
      { mx: [{ host: "mx.example.net", preference: 10 }] },
      [],
      "another's server is named, and not described",
    ],
    [
      ["example.org. MX 10 gone.example.org."],
      {},
      ["MX: gone.example.org has no address"],
      "a name that leads nowhere is no wish",
    ],
  ])("%j → %j %j (%s)", async (add, wanted, left) => {
    const proposal = await look({ without: ["example.org MX"], add });
    expect(proposal.content).toMatchObject(wanted);
    expect(proposal.left).toEqual(left);
    if (!("mx" in wanted)) expect(proposal.content).not.toHaveProperty("mx");
  });

  it("takes no record of mail at the wrong name for a token", async () => {
    const { content, left } = await look({ add: ['example.org. TXT "v=DKIM1; k=rsa; p=AAAA"'] });
    expect(content["verification"]).toEqual(["some-site-verification=0123456789"]);
    expect(left).toEqual([expect.stringContaining("v=DKIM1")]);
  });
});
