import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { domainName } from "../dns/name.ts";
import { explainTlsa } from "./explain.ts";
import { remarksOnTlsaText } from "./remarks.ts";
import {
  DANE_TA_CERT_SHA256,
  formatTlsa,
  parseTlsa,
  tlsaFromCertificate,
  tlsaFromPublicKey,
  tlsaMatches,
  tlsaOwner,
} from "./tlsa.ts";

/** Made with openssl for mail.example.org, and the digests with sha256sum and sha512sum. */
const SERVER = `-----BEGIN CERTIFICATE-----
MIIBKzCB0wIUDXGBfv4AYNi0GErpqGaDaMUJQXMwCgYIKoZIzj0EAwIwFTETMBEG
A1UEAwwKRXhhbXBsZSBDQTAgFw0yNjExMjEwMzQ2MzRaGA8yMTI2MTAyODAzNDYz
NFowGzEZMBcGA1UEAwwQbWFpbC5leGFtcGxlLm9yZzBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABAQ79cLj7I9OhPy8rZ0Dyshdia7vHhU5ygfGHL+yjy5c8XRzV5i7
RbCYqMz+LlItum7CBMSrp7oQ4u3+UyNLHuEwCgYIKoZIzj0EAwIDRwAwRAIgDxXM
6YGwhN4pG1GPc9luym6j35SZCbM0L90HRUz+Mp0CIFqfXgUcuX8gqzOq20yEdMxF
CSMbRuKC3fIBu/ftmsiA
-----END CERTIFICATE-----
`;
const AUTHORITY = `-----BEGIN CERTIFICATE-----
MIIBgjCCASegAwIBAgIUSSirndgP5ztJW5dnovn1GUIFMtUwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKRXhhbXBsZSBDQTAgFw0yNjExMjEwMzQ2MzRaGA8yMTI2MTAy
ODAzNDYzNFowFTETMBEGA1UEAwwKRXhhbXBsZSBDQTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABJ08OF/RoPgiTZ/r+EmcVfVF6AbDBcbZ/ulpkzdDaMGcY4bgHZDa
jzhhfZkTJNvp2QU9H7tg/0WGdj04injPm6SjUzBRMB0GA1UdDgQWBBS+kX0xRpPC
P7t+CYvjRdXGXRDIHjAfBgNVHSMEGDAWgBS+kX0xRpPCP7t+CYvjRdXGXRDIHjAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQCLc+xovQ+BMMf6TBq1
oEcwzQwY/qFZ4u/N0VoteL+elwIhAJQvh773PcJDglHEpzM5g4GKtBJWHmstTBRH
RRuWZPv1
-----END CERTIFICATE-----
`;
const PUBLIC_KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBDv1wuPsj06E/LytnQPKyF2Jru8e
FTnKB8Ycv7KPLlzxdHNXmLtFsJiozP4uUi26bsIExKunuhDi7f5TI0se4Q==
-----END PUBLIC KEY-----
`;
const KEY_SHA256 = "4643d289372eae7100d202b7783ea0d6987b32b6a129c18ea8b47c80f9c136cf";
const KEY_SHA512 =
  "1460043740879faa0f4f99e7523e4d62cf32f3a4f27fa11c6f7a47ef5a3af7ee49bca775a48d4906e91042c4ffc4f9f200d2a2674261d3e7f629ae4654543dfb";
const SERVER_SHA256 = "5cc572a5dd935164deb4bf185fc443e262f731472f06904a27c0414fe36c430d";
const AUTHORITY_SHA256 = "8a85dc90653218727a4dea0bca7a6b4e535ee28f05e3097a29e2d056ee4dfd08";
const chain = SERVER + AUTHORITY;
const parameters = (usage: number, tlsaSelector: number, matchingType: number) => ({
  usage,
  tlsaSelector,
  matchingType,
});
const textOf = (made: ReturnType<typeof parseTlsa>) => (made.ok ? formatTlsa(made.value) : made.problem);

describe("parseTlsa", () => {
  it.each<[text: string, remarks: string[], reason: string]>([
    [`3 1 1 ${KEY_SHA256}`, [], "the preferred form"],
    [
      `3 1 1 ( ${KEY_SHA256.slice(0, 30)}\n\t${KEY_SHA256.slice(30).toUpperCase()} )`,
      [],
      "lines, as in zone files",
    ],
    [`2 0 1 ${AUTHORITY_SHA256}`, ["notice tlsa-not-preferred"], "the second choice"],
    [
      `2 1 1 ${AUTHORITY_SHA256}`,
      ["notice tlsa-authority-key", "notice tlsa-not-preferred"],
      "an authority's key",
    ],
    [`3 0 1 ${SERVER_SHA256}`, ["warning tlsa-whole-certificate"], "changes at every renewal"],
    [`3 1 2 ${KEY_SHA512}`, ["notice tlsa-sha512"], "not everywhere"],
    [textOf(tlsaFromCertificate(SERVER, parameters(3, 1, 0))), ["warning tlsa-full-data"], "a whole key"],
    [
      textOf(tlsaFromCertificate(SERVER, parameters(3, 0, 0))),
      ["warning tlsa-full-data", "warning tlsa-whole-certificate"],
      "a whole certificate",
    ],
    [`3 1 0 ${KEY_SHA256}`, ["error tlsa-unreadable-data"], "a digest called full"],
    [`3 0 0 ${KEY_SHA256}`, ["error tlsa-unreadable-data"], "and for a certificate"],
    [`3 1 1 ${KEY_SHA256.slice(2)}`, ["error tlsa-digest-length"], "31 octets"],
    [`3 1 2 ${KEY_SHA256}`, ["error tlsa-digest-length"], "SHA-256 called SHA-512"],
    [`0 0 1 ${AUTHORITY_SHA256}`, ["error tlsa-pkix-usage"], "not for SMTP"],
    [`1 1 1 ${KEY_SHA256}`, ["error tlsa-pkix-usage"], "nor this"],
    [`4 1 1 ${KEY_SHA256}`, ["error tlsa-unknown-usage"], "unknown usage"],
    [`3 2 1 ${KEY_SHA256}`, ["error tlsa-unknown-selector"], "unknown selector"],
    [`3 1 3 ${KEY_SHA256}`, ["error tlsa-unknown-matching-type"], "unknown matching type"],
    ["3 1 1", ["error tlsa-syntax"], "no data"],
    ["3 1 1 ()", ["error tlsa-syntax"], "empty data"],
    ["3 1 1 abc", ["error tlsa-syntax"], "half an octet"],
    ["3 1 1 xy", ["error tlsa-syntax"], "not hex"],
    ["3 1 256 00", ["error tlsa-syntax"], "not an octet"],
    [KEY_SHA256, ["error tlsa-syntax"], "the digest alone"],
  ])("%#", (text, remarks, reason) => {
    expect(
      remarksOnTlsaText(text).map(({ severity, code }) => `${severity} ${code}`),
      reason,
    ).toEqual(remarks);
  });

  it("is the inverse of formatting", () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const data = fc.record({
      type: fc.constant("TLSA" as const),
      usage: octet,
      tlsaSelector: octet,
      matchingType: octet,
      associationData: fc.uint8Array({ minLength: 1 }),
    });
    fc.assert(
      fc.property(data, (value) => {
        expect(parseTlsa(formatTlsa(value))).toEqual({ ok: true, value });
      }),
    );
  });
});

describe("making records", () => {
  it.each([
    [tlsaFromCertificate(SERVER), `3 1 1 ${KEY_SHA256}`, "3 1 1 is the default"],
    [tlsaFromCertificate(chain), `3 1 1 ${KEY_SHA256}`, "the first of a chain"],
    [tlsaFromCertificate(chain, parameters(3, 0, 1)), `3 0 1 ${SERVER_SHA256}`, "the certificate"],
    [tlsaFromCertificate(chain, parameters(3, 1, 2)), `3 1 2 ${KEY_SHA512}`, "SHA-512"],
    [
      tlsaFromCertificate(chain, DANE_TA_CERT_SHA256),
      `2 0 1 ${AUTHORITY_SHA256}`,
      "the authority of a chain",
    ],
    [tlsaFromPublicKey(PUBLIC_KEY), `3 1 1 ${KEY_SHA256}`, "the key alone"],
    [
      tlsaFromCertificate(SERVER, DANE_TA_CERT_SHA256),
      "usage 2 names an authority, and none of the certificates is one",
      "a server is no authority",
    ],
    [
      tlsaFromPublicKey(PUBLIC_KEY, parameters(3, 0, 1)),
      "only selector 1 is about the key; the others need the certificate",
      "no certificate at hand",
    ],
    [
      tlsaFromCertificate(SERVER, parameters(3, 1, 7)),
      '"3 1 7" has a number without a meaning',
      "unknown type",
    ],
    [
      tlsaFromCertificate(SERVER, parameters(9, 1, 1)),
      '"9 1 1" has a number without a meaning',
      "unknown usage",
    ],
    [tlsaFromCertificate(PUBLIC_KEY), "the text holds no PEM certificate", "a key is no certificate"],
    [tlsaFromCertificate(chain.replace("MIIBg", "MIIBh")), "certificate 2 in the text is damaged", "damage"],
    [tlsaFromPublicKey("hello"), "the text holds no PEM key; give the public key", "no PEM"],
  ])("%#", (made, expected, reason) => {
    expect(textOf(made), reason).toBe(expected);
  });

  it("takes the public half of a private key", () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    expect(tlsaFromPublicKey(pem)).toEqual(
      tlsaFromPublicKey(publicKey.export({ format: "pem", type: "spki" }).toString()),
    );
  });
});

describe("tlsaMatches", () => {
  const der = new X509Certificate(SERVER).raw;
  it.each([
    [`3 1 1 ${KEY_SHA256}`, true, "the key"],
    [`3 0 1 ${SERVER_SHA256}`, true, "the certificate"],
    [`3 0 1 ${KEY_SHA256}`, false, "the key's digest for the certificate's"],
    [`2 0 1 ${AUTHORITY_SHA256}`, false, "its issuer is another certificate"],
    [`3 1 9 ${KEY_SHA256}`, false, "unknown matching type"],
  ])("%s", (text, expected, reason) => {
    const data = parseTlsa(text);
    expect(data.ok && tlsaMatches(data.value, der), reason).toBe(expected);
  });

  it("takes octets that are no certificate", () => {
    const data = parseTlsa(`3 1 1 ${KEY_SHA256}`);
    expect(data.ok && tlsaMatches(data.value, Uint8Array.of(1, 2, 3))).toBe(false);
  });
});

it("knows the owner name", () => {
  expect(tlsaOwner(25, "tcp", domainName("mail.example.org"))).toBe("_25._tcp.mail.example.org");
});

it("explains each number", () => {
  expect(explainTlsa(`3 1 1 ${KEY_SHA256}`).terms.map(({ text }) => text)).toEqual([
    "3",
    "1",
    "1",
    KEY_SHA256,
  ]);
  expect(explainTlsa("nonsense")).toMatchObject({ terms: [], remarks: [{ code: "tlsa-syntax" }] });
});
