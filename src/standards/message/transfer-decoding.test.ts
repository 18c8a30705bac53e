import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import type { TransferEncoding } from "./mime.ts";
import { decodeTransfer } from "./transfer-decoding.ts";

const decode = (text: string, encoding: TransferEncoding, max = 1_000) => {
  const { octets, isCut } = decodeTransfer(Buffer.from(text, "latin1"), encoding, max);
  return Buffer.from(octets).toString("latin1") + (isCut ? "…cut" : "");
};

describe("decodeTransfer", () => {
  it.each<[TransferEncoding, string, string, string]>([
    ["base64", "aGVsbG8=", "hello", "padded"],
    ["base64", "aGVsbG8", "hello", "without padding"],
    ["base64", "aG V\r\ns*bG8=\r\n", "hello", "blanks and what is not of the alphabet"],
    ["base64", "aGVsbG8=aGVsbG8=", "hello", "nothing behind the padding"],
    ["base64", "a", "", "six bits are no octet"],
    ["base64", "", "", "nothing"],
    ["quoted-printable", "a=3Db=c3=A9\r\n", "a=b\xc3\xa9\r\n", "octets, digits of either case"],
    ["quoted-printable", "a=\r\nb=\nc= \t\r\nd", "abcd", "soft line breaks"],
    ["quoted-printable", "a \t\r\nb \nc  ", "a\r\nb\nc", "blanks at line ends"],
    ["quoted-printable", "a=20\r\nb =\r\n", "a \r\nb ", "blanks that are meant"],
    ["quoted-printable", "a=", "a", "a soft break at the end"],
    ["quoted-printable", "=x1 =4 =G0==41", "=x1 =4 =G0=A", "what is no digit stays"],
    ["quoted-printable", "a\rb", "a\rb", "a lone CR"],
    ["8bit", "\xff=41", "\xff=41", "as it is"],
    ["unknown", "aGVsbG8=", "aGVsbG8=", "as it is"],
  ])("%s %j is %j: %s", (encoding, text, expected) => {
    expect(decode(text, encoding)).toBe(expected);
  });

  it.each<[TransferEncoding, string]>([
    ["base64", "aGVsbG8="],
    ["quoted-printable", "h=65llo"],
    ["7bit", "hello"],
  ])("%s stops at the bound", (encoding, text) => {
    expect(decode(text, encoding, 5)).toBe("hello");
    expect(decode(text, encoding, 4)).toBe("hell…cut");
    expect(decode(text, encoding, 0)).toBe("…cut");
  });

  it("gives back what base64 was made of", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (octets) => {
        const text = Buffer.from(octets).toString("base64").replace(/.{20}/g, "$&\r\n");
        expect(decodeTransfer(Buffer.from(text), "base64", 100)).toEqual({ octets, isCut: false });
      }),
    );
  });

  it("gives back what quoted-printable was made of", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.array(fc.boolean(), { minLength: 1 }),
        (octets, plain) => {
          const text = Array.from(octets, (octet, at) =>
            plain[at % plain.length] && octet > 0x20 && octet < 0x7f && octet !== 0x3d
              ? String.fromCharCode(octet)
              : `=${octet.toString(16).padStart(2, "0")}${at % 7 === 0 ? "=\r\n" : ""}`,
          );
          expect(decodeTransfer(Buffer.from(text.join("")), "quoted-printable", 100)).toEqual({
            octets,
            isCut: false,
          });
        },
      ),
    );
  });

  it("keeps to the bound, whatever comes", () => {
    const pieces = fc.constantFrom("=", "=4", "=3D", "=\r\n", " ", "\t", "\r", "\n", "a", "Zg", "\xff");
    const encodings = fc.constantFrom<TransferEncoding>("base64", "quoted-printable", "8bit");
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), encodings, fc.nat(12), (list, encoding, max) => {
        const octets = Buffer.from(list.join(""), "latin1");
        const whole = decodeTransfer(octets, encoding, 1_000);
        const bounded = decodeTransfer(octets, encoding, max);
        expect(whole.isCut).toBe(false);
        expect(bounded.octets.length).toBeLessThanOrEqual(max);
        if (!bounded.isCut) expect(bounded.octets).toEqual(whole.octets);
        else if (encoding !== "quoted-printable")
          expect(bounded.octets).toEqual(whole.octets.subarray(0, max));
      }),
      { numRuns: 20_000 },
    );
  });

  it.each(["=", "= ", " ", "=4", "\r", "=\r\n", "=3D"])(
    "1 MiB of %j takes no time that grows with its square",
    (piece) => {
      const octets = Buffer.from(piece.repeat(2 ** 20 / piece.length));
      const started = performance.now();
      decodeTransfer(octets, "quoted-printable", 2 ** 20);
      decodeTransfer(octets, "base64", 2 ** 20);
      expect(performance.now() - started).toBeLessThan(4_500);
    },
  );
});
