/** Sealed keys: what opens them, and what does not. */
import { createHash, createSecretKey, generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { fc } from "../../test/support/random-inputs.ts";
import type { DkimSelector } from "../standards/dkim/selector.ts";
import { domainName } from "../standards/dns/name.ts";
import type { KeyName } from "./key-name.ts";
import {
  type MasterKey,
  newMasterKeyText,
  openSealedKey,
  readMasterKey,
  resealKey,
  sealKey,
} from "./sealing.ts";

/** Counts: no two calls give the same. */
function counting() {
  let calls = 0;
  const asked: number[] = [];
  const random = (count: number) => {
    asked.push(count);
    calls += 1;
    return Uint8Array.from({ length: count }, (_, at) => (at === 0 ? calls : at * 7 + (calls >> 8)));
  };
  return { random, asked };
}

function master(fill: number): MasterKey {
  const read = readMasterKey(Uint8Array.from({ length: 32 }, (_, at) => (at + fill) & 255));
  if (!read.ok) throw new Error(read.problem);
  return read.value;
}

const NAME: KeyName = { signingDomain: domainName("example.org"), dkimSelector: "202611" as DkimSelector };
const { privateKey } = generateKeyPairSync("ed25519");
const pem = (key = privateKey) => key.export({ format: "pem", type: "pkcs8" });
const MASTER = master(1);

describe("a seal key", () => {
  const raw = Uint8Array.from({ length: 32 }, (_, at) => at + 128);
  const text = (value: string) => new Uint8Array(Buffer.from(value));
  it.each<[name: string, source: Uint8Array, words: RegExp | undefined]>([
    ["32 octets as they are", raw, undefined],
    ["hex", text(Buffer.from(raw).toString("hex")), undefined],
    [
      "hex in capitals with a line end",
      text(`${Buffer.from(raw).toString("hex").toUpperCase()}\n`),
      undefined,
    ],
    ["base64", text(`${Buffer.from(raw).toString("base64")}\r\n`), undefined],
    ["base64 without padding", text(Buffer.from(raw).toString("base64").replace("=", "")), undefined],
    ["base64 of URLs", text(Buffer.from(raw).toString("base64url")), undefined],
    ["31 octets", raw.subarray(1), /this has 31 octets/],
    ["33 octets", Uint8Array.from([...raw, 10]), /this has 33 octets/],
    ["a password", text("correct horse battery staple"), /openssl rand -base64 32/],
    ["nothing", new Uint8Array(), /has 0 octets/],
    ["a file of megabytes", new Uint8Array(5_000_000).fill(65), /has 5000000 octets/],
    ["base64 of 31 octets", text(Buffer.from(raw.subarray(1)).toString("base64")), /none of these/],
    ["zeros", new Uint8Array(32), /all 32 octets .* are the same/],
    ["zeros in hex", text("0".repeat(64)), /are the same/],
  ])("%s", (_, source, words) => {
    const read = readMasterKey(source);
    if (words === undefined) {
      expect(read).toMatchObject({ ok: true });
      const expected = readMasterKey(raw);
      expect(read.ok && expected.ok && read.value.id === expected.value.id).toBe(true);
      expect(read.ok && read.value.key.equals(createSecretKey(raw))).toBe(true);
    } else {
      expect(read).toEqual({ ok: false, problem: expect.stringMatching(words) });
    }
  });

  it("that is made can be read, and does not show when it is printed", () => {
    const made = newMasterKeyText(counting().random);
    const read = readMasterKey(Buffer.from(made));
    expect(read.ok).toBe(true);
    expect(inspect(read, { depth: 9, showHidden: true }) + JSON.stringify(read)).not.toContain(made.trim());
  });

  it("is in no problem", () => {
    const secret = "a-password-that-is-secret";
    expect(JSON.stringify(readMasterKey(Buffer.from(secret)))).not.toContain(secret);
  });
});

describe("a sealed key", () => {
  const sealed = sealKey(privateKey, NAME, MASTER, counting().random);

  it("opens to the same key", () => {
    const opened = openSealedKey(sealed, NAME, MASTER);
    expect(opened.status === "opened" && pem(opened.privateKey)).toBe(pem());
    expect(sealed).toMatch(/^zonepost-sealed-1(?:\.[\w-]+){4}$/);
  });

  it("says that the master key is another", () => {
    expect(openSealedKey(sealed, NAME, master(2))).toEqual({
      status: "other-master-key",
      problem: expect.stringMatching(/sealed under another seal key \([\w-]+\)/),
    });
  });

  it.each<[name: string, other: KeyName]>([
    ["another selector", { ...NAME, dkimSelector: "202612" as DkimSelector }],
    ["another domain", { ...NAME, signingDomain: domainName("example.net") }],
    [
      "a name that reads the same when it is joined",
      { signingDomain: domainName("org"), dkimSelector: "example.202611" as DkimSelector },
    ],
  ])("does not open in the place of %s", (_, other) => {
    expect(openSealedKey(sealed, other, MASTER).status).toBe("foreign");
  });

  it("with one character changed or cut is damaged, and never opens", () => {
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1);
      expect(openSealedKey(changed, NAME, MASTER).status, `character ${at}`).toBe("damaged");
      expect(openSealedKey(sealed.slice(0, at), NAME, MASTER).status, `cut at ${at}`).toBe("damaged");
    }
  });

  it("with any bit of its octets changed, and the check made right again, is foreign", () => {
    const parts = sealed.split(".");
    for (const part of [2, 3]) {
      const octets = Buffer.from(parts[part]!, "base64url");
      for (let bit = 0; bit < octets.length * 8; bit++) {
        const flipped = Buffer.from(octets);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        const forged = parts.slice(0, 4).with(part, flipped.toString("base64url"));
        expect(openSealedKey(withCheck(forged), NAME, MASTER).status).toBe("foreign");
      }
    }
  });

  it("of a version that is not known is not touched", () => {
    const later = ["zonepost-sealed-2", ...sealed.split(".").slice(1, 4)];
    expect(openSealedKey(withCheck(later), NAME, MASTER)).toMatchObject({
      problem: expect.stringMatching(/does not know/),
    });
  });

  it("never repeats a nonce: each sealing asks for 12 new octets", () => {
    const { random, asked } = counting();
    const nonces = Array.from({ length: 100 }, () => sealKey(privateKey, NAME, MASTER, random).split(".")[2]);
    expect(asked).toEqual(Array(100).fill(12));
    expect(new Set(nonces).size).toBe(100);
    expect(() => sealKey(privateKey, NAME, MASTER, () => new Uint8Array(8))).toThrow(RangeError);
  });

  it("is sealed anew under another master key, and the old one then opens nothing", () => {
    const next = master(9);
    const again = resealKey(sealed, NAME, MASTER, next, counting().random);
    if (again.status !== "resealed") throw new Error(again.problem);
    expect(openSealedKey(again.sealed, NAME, next).status).toBe("opened");
    expect(openSealedKey(again.sealed, NAME, MASTER).status).toBe("other-master-key");
    expect(resealKey(sealed, NAME, next, MASTER, counting().random).status).toBe("other-master-key");
  });

  it("is looked at without a throw whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (text) => {
        expect(openSealedKey(text, NAME, MASTER).status).toBe("damaged");
      }),
    );
    expect(openSealedKey("a.".repeat(100_000), NAME, MASTER).status).toBe("damaged");
  });

  it("shows nothing of the private half", () => {
    const secret = Buffer.from(privateKey.export({ format: "jwk" }).d!, "base64url");
    expect(Buffer.from(sealed.split(".")[3]!, "base64url").includes(secret)).toBe(false);
  });
});

/** As somebody would who wants damage to look whole. */
function withCheck(parts: readonly string[]): string {
  const check = createHash("sha256").update(parts.join(".")).digest().subarray(0, 8).toString("base64url");
  return [...parts, check].join(".");
}
