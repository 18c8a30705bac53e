import { expect, it } from "vitest";
import { DKIM_KEY } from "../../test/support/healthy-world.ts";
import { domainName } from "../standards/dns/name.ts";
import { readDescription } from "./description.ts";
import { readDescriptionPieces } from "./description-pieces.ts";

const TEXT = `servers:
  - host: mail.example.org
    addresses: 192.0.2.25
ttl: { default: 600 }
publish:
  - provider: zone-file
    file: "/zones/{zone}"
domains:
  - domain: EXAMPLE.org
    dkim: [{ selector: a, file: key.txt }]
  - domain: example.net
`;
const readFile = (path: string): string => {
  if (path === "key.txt") return DKIM_KEY;
  throw new Error(`there is no ${path}`);
};

it("takes a description apart so that the pieces make the same description, and name no file", () => {
  const read = readDescriptionPieces(TEXT, readFile);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const { common, domains, description } = read.pieces;
  expect(Object.keys(common)).toEqual(["ttl", "servers"]);
  expect([...domains.keys()]).toEqual(["example.org", "example.net"]);
  expect(domains.get(domainName("example.org"))).toEqual({
    domain: "example.org",
    dkim: [{ selector: "a", publicKey: DKIM_KEY }],
  });
  const again = readDescription({ ...common, domains: [...domains.values()] });
  expect(again).toMatchObject({ ok: true, description: { ...description, publish: [] } });
});

it.each([
  ["domains: [{ domain: x y }]\n", "domains[0].domain", 1, "a name that is none"],
  [TEXT.replace("key.txt", "other.txt"), "domains[0].dkim[0].file", 10, "a file that is not there"],
  [": {", "", 1, "no YAML"],
])("says what is wrong: %#", (text, path, line) => {
  const read = readDescriptionPieces(text, readFile);
  expect(read).toMatchObject({ ok: false, problems: [{ path, line }] });
});
