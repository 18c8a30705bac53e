/** Keys as signing programs want them; the real programs read the same files in test/servers/keys.test.ts. */
import { createPrivateKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fixedKey } from "../../test/support/dkim-keys.ts";
import { sameDkimKey } from "../standards/dkim/public-key.ts";
import { EXPORT_FORMATS, type ExportedKey, exportKeys } from "./export.ts";
import { readPrivateKey } from "./private-text.ts";

const RSA = fixedKey("rsa", "202611");
const ED = fixedKey("ed25519", "202611-2");
const NET = fixedKey("rsa", "dkim", "example.net");

function texts(keys: readonly ExportedKey[], format: (typeof EXPORT_FORMATS)[number]) {
  const made = exportKeys(keys, format, "/etc/dkim/");
  if (!made.ok) throw new Error(made.problem);
  const open = made.value.files.filter(({ isPrivate }) => !isPrivate);
  return {
    open: Object.fromEntries(open.map(({ path, content }) => [path, content])),
    keys: made.value.files.filter(({ isPrivate }) => isPrivate).map(({ path }) => path),
    notes: made.value.notes,
    files: made.value.files,
  };
}

describe("an export", () => {
  it("for OpenDKIM", () => {
    const { open, keys, notes } = texts([RSA, ED, NET], "opendkim");
    expect(open).toEqual({
      KeyTable:
        "202611._domainkey.example.org example.org:202611:/etc/dkim/keys/example.org/202611.private\n" +
        "dkim._domainkey.example.net example.net:dkim:/etc/dkim/keys/example.net/dkim.private\n",
      SigningTable:
        "*@example.org 202611._domainkey.example.org\n*@example.net dkim._domainkey.example.net\n",
      "opendkim.conf": "KeyTable /etc/dkim/KeyTable\nSigningTable refile:/etc/dkim/SigningTable\n",
    });
    expect(keys).toEqual(["keys/example.org/202611.private", "keys/example.net/dkim.private"]);
    expect(notes[0]).toMatch(/^202611-2._domainkey.example.org is left out: OpenDKIM signs with one/);
    const two = texts([RSA, fixedKey("rsa", "second")], "opendkim");
    expect(two.open["opendkim.conf"]).toContain("MultipleSignatures yes");
  });

  it("for rspamd: maps, and a block where a domain has two keys", () => {
    const { open, keys } = texts([RSA, ED, NET], "rspamd");
    expect(open["dkim_selectors.map"]).toBe("example.net dkim\n");
    expect(open["dkim_paths.map"]).toBe("example.net /etc/dkim/keys/example.net/dkim.private\n");
    expect(open["dkim_signing.conf"]).toBe(`use_domain = "header";
use_esld = false;
allow_hdrfrom_mismatch = true;
allow_username_mismatch = true;
try_fallback = false;
selector_map = "/etc/dkim/dkim_selectors.map";
path_map = "/etc/dkim/dkim_paths.map";
domain {
  "example.org" {
    selectors [
      { selector = "202611"; path = "/etc/dkim/keys/example.org/202611.private"; },
      { selector = "202611-2"; path = "/etc/dkim/keys/example.org/202611-2.key"; },
    ]
  }
}
`);
    expect(keys).toHaveLength(3);
    const ed = texts([ED], "rspamd").files.find(({ isPrivate }) => isPrivate)!;
    // The form that rspamadm dkim_keygen writes; a PEM would be taken for RSA.
    expect(Buffer.from(ed.content, "base64")).toHaveLength(64);
  });

  it("for amavisd", () => {
    const { open, notes } = texts([RSA, ED], "amavisd");
    expect(open["60-dkim-keys"]).toBe(
      "$enable_dkim_signing = 1;\ndkim_key('example.org', '202611', '/etc/dkim/keys/example.org/202611.private');\n1;\n",
    );
    expect(notes[0]).toMatch(/signs with RSA keys/);
  });

  it("for dkimpy-milter: a table for each algorithm, where all domains have such a key", () => {
    const both = texts([RSA, ED], "dkimpy");
    expect(both.open).toEqual({
      "dkimpy-milter.conf":
        "KeyTable /etc/dkim/KeyTable\nKeyTableEd25519 /etc/dkim/KeyTableEd25519\nSigningTable refile:/etc/dkim/SigningTable\n",
      KeyTable: "example.org example.org:202611:/etc/dkim/keys/example.org/202611.private\n",
      KeyTableEd25519: "example.org example.org:202611-2:/etc/dkim/keys/example.org/202611-2.key\n",
      SigningTable: "*@example.org example.org\n",
    });
    const mixed = texts([RSA, ED, NET], "dkimpy");
    expect(mixed.open).not.toHaveProperty("KeyTableEd25519");
    expect(mixed.keys).toEqual(["keys/example.org/202611.private", "keys/example.net/dkim.private"]);
    expect(mixed.notes[0]).toMatch(/^202611-2.*every domain in each of its tables/);
  });

  it.each(EXPORT_FORMATS)(
    "for %s holds keys that read back, and no private key in an open file",
    (format) => {
      const { files } = texts([RSA, ED], format);
      const privates = files.filter(({ isPrivate }) => isPrivate);
      expect(privates.length).toBeGreaterThan(0);
      for (const { path, content } of privates) {
        const read = readPrivateKey(content);
        const expected = path.includes("-2") ? ED : RSA;
        expect(read.ok && sameDkimKey(read.value.publicKey, expected.key.publicKey), path).toBe(true);
        // The last lines of a key are private; the first ones hold the modulus, which everyone may know.
        const body = content.trim().split("\n").at(-4) ?? content.trim().slice(0, 40);
        for (const open of files.filter(({ isPrivate }) => !isPrivate))
          expect(open.content).not.toContain(body);
      }
    },
  );

  it("is refused for a folder that no configuration can name", () => {
    for (const folder of ["relative", "/a b", "/a'b", '/a"b', "/a\nb"]) {
      expect(exportKeys([RSA], "opendkim", folder)).toMatchObject({ ok: false });
    }
    const odd = { ...RSA, key: { ...RSA.key, signingDomain: "o'neill\\.example.org" as never } };
    expect(exportKeys([odd], "amavisd", "/etc/dkim")).toMatchObject({ ok: false });
  });
});

describe("a private key", () => {
  const pkcs8 = RSA.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  it.each<[name: string, text: string, problem: RegExp]>([
    ["encrypted", pkcs8.replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), /passphrase/],
    ["a public key", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", /only the public half/],
    ["damaged", pkcs8.replace(/\n[^\n]+\n/, "\n"), /no private key in it/],
    ["nothing", "", /no private key/],
    ["far too long", "x".repeat(100_000), /too long/],
    [
      "for another algorithm",
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----",
      /DKIM uses RSA and Ed25519/,
    ],
  ])("that is %s is refused, and not repeated", (_, text, problem) => {
    const read = readPrivateKey(text);
    expect(read).toEqual({ ok: false, problem: expect.stringMatching(problem) });
    expect(JSON.stringify(read)).not.toContain("MII");
  });

  it("reads from PKCS #8 as from PKCS #1", () => {
    const read = readPrivateKey(pkcs8);
    expect(read.ok && read.value.privateKey.equals(createPrivateKey(pkcs8))).toBe(true);
  });
});
