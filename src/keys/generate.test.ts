/** New pairs: which kinds there are, and that both halves belong together. */
import { createPublicKey, sign, verify } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { formatDkimKey, recordForKey } from "../standards/dkim/key-record.ts";
import { type DkimPublicKey, sameDkimKey } from "../standards/dkim/public-key.ts";
import { generateDkimKeyPair, type KeyKind, readKeyKind } from "./generate.ts";

describe("the kind of a new key", () => {
  it.each<
    [
      algorithm: string,
      bits: number | undefined,
      kind: KeyKind | undefined,
      words: RegExp | undefined,
      reason: string,
    ]
  >([
    ["rsa", undefined, { algorithm: "rsa", modulusBits: 2048 }, undefined, "what all verifiers take"],
    ["RSA", 2048, { algorithm: "rsa", modulusBits: 2048 }, undefined, "in capitals"],
    ["rsa", 1024, undefined, /2048 bits or more; 1024 are too weak/, "signers should use 2048 at least"],
    ["rsa", 512, undefined, /too weak/, "verifiers refuse it"],
    [
      "rsa",
      3072,
      { algorithm: "rsa", modulusBits: 3072 },
      /about 582 characters in 3 strings/,
      "forms cut it",
    ],
    ["rsa", 4096, { algorithm: "rsa", modulusBits: 4096 }, /about 754 characters in 3 strings/, "the same"],
    ["rsa", 8192, undefined, /verifiers need not support more than 4096/, "nobody has to verify it"],
    ["rsa", 2047, undefined, /too weak/, "one bit too few"],
    ["rsa", 2049, undefined, /not 2049/, "no size that anyone uses"],
    ["ed25519", undefined, { algorithm: "ed25519" }, /an RSA key beside it/, "not all verifiers know it"],
    ["ed25519", 2048, undefined, /have one size/, "bits mean nothing there"],
    ["dsa", undefined, undefined, /knows rsa and ed25519/, "no DKIM algorithm"],
  ])("%s %s → %j, %s (%s)", (algorithm, bits, kind, words) => {
    const read = readKeyKind(algorithm, bits);
    expect(read.ok ? read.value.kind : undefined).toEqual(kind);
    const said = read.ok ? read.value.warning : read.problem;
    if (words === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(words);
  });
});

describe("a new pair", () => {
  it.each<[kind: KeyKind, characters: number]>([
    [{ algorithm: "rsa", modulusBits: 2048 }, 410],
    [{ algorithm: "rsa", modulusBits: 3072 }, 582],
    [{ algorithm: "ed25519" }, 66],
  ])(
    "%j: what the private half signs, the public one verifies; a record of %d characters",
    async (kind, characters) => {
      const { publicKey, privateKey } = await generateDkimKeyPair(kind);
      const hash = kind.algorithm === "rsa" ? "sha256" : undefined;
      const signature = sign(hash, Buffer.from("mail"), privateKey);
      const spki = createPublicKey({ key: Buffer.from(publicKey.spki), format: "der", type: "spki" });
      expect(verify(hash, Buffer.from("mail"), spki, signature)).toBe(true);
      expect(formatDkimKey(recordForKey(publicKey))).toHaveLength(characters);
      if (kind.algorithm === "rsa") expect(publicKey).toMatchObject({ modulusBits: kind.modulusBits });
    },
  );

  it("is another each time, and its private half does not show when it is printed", async () => {
    const pairs = await Promise.all([1, 2].map(() => generateDkimKeyPair({ algorithm: "ed25519" })));
    const [one, other] = pairs.map(({ publicKey }) => publicKey) as [DkimPublicKey, DkimPublicKey];
    expect(sameDkimKey(one, other)).toBe(false);
    const secret = pairs[0]!.privateKey.export({ format: "jwk" }).d!;
    expect(inspect(pairs, { depth: 9, showHidden: true }) + JSON.stringify(pairs)).not.toContain(secret);
  });
});
