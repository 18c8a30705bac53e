import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type CertificateOptions, issueCertificate } from "../../test/support/certificates.ts";
import { certificateSummary } from "./certificate-summary.ts";

const summary = (options: CertificateOptions) =>
  certificateSummary(new X509Certificate(issueCertificate(options).der));

describe("names", () => {
  it.each<[names: readonly string[], expected: readonly string[], reason: string]>([
    [["mail.example.org"], ["mail.example.org"], "one"],
    [["A.example.org", "*.Example.NET"], ["a.example.org", "*.example.net"], "lower case, wildcards kept"],
    [[], ["common.example.org"], "the common name where there are none"],
    [
      ["a.example.org, DNS:b.example.org"],
      ["a.example.org, dns:b.example.org"],
      "what looks like two names is one, and fits no host",
    ],
    [['a", DNS:b.example.org'], ['a", dns:b.example.org'], "nor does a quote end it"],
    [["a\nDNS:b.example.org"], ["a\ndns:b.example.org"], "nor a line"],
  ])("%j", (names, expected) => {
    expect(summary({ subject: "Common.example.org", names }).names).toEqual(expected);
  });
});

describe("the issuer", () => {
  it.each<[organization: string | undefined, expected: string | undefined]>([
    ["Let's Encrypt", "Let's Encrypt"],
    ["Somebody, Inc.", "Somebody, Inc."],
    ["Zwei\nO=Other", "Zwei\nO=Other"],
    [undefined, undefined],
  ])("%j", (organization, expected) => {
    const issuer = issueCertificate({
      subject: "R11",
      isAuthority: true,
      ...(organization !== undefined && { organization }),
    });
    expect(summary({ subject: "x", issuer }).issuerOrganization).toBe(expected);
  });

  it("is one line", () => {
    const issuer = issueCertificate({ subject: "R11", organization: "Let's Encrypt", isAuthority: true });
    expect(summary({ subject: "mail.example.org", issuer })).toMatchObject({
      subject: "CN=mail.example.org",
      issuer: "O=Let's Encrypt, CN=R11",
    });
  });
});

it("has its days as dates, and its octets", () => {
  const [notBefore, notAfter] = [new Date("2026-01-02T03:04:05Z"), new Date("2051-06-07T08:09:10Z")];
  const issued = issueCertificate({ subject: "x", notBefore, notAfter });
  const told = certificateSummary(new X509Certificate(issued.certificate));
  expect(told).toMatchObject({ notBefore, notAfter });
  expect(Buffer.from(told.der).equals(issued.der)).toBe(true);
});

describe("the key", () => {
  it.each<[options: object, key: object]>([
    [{}, { type: "ec", bits: 256 }],
    [{ rsaBits: 2048 }, { type: "rsa", bits: 2048 }],
    [{ rsaBits: 1024 }, { type: "rsa", bits: 1024 }],
  ])("%j", (options, key) => {
    expect(summary({ subject: "x", ...options }).key).toEqual(key);
  });
});
