import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import {
  type AuthenticationResult,
  type AuthenticationResults,
  formatAuthenticationResults,
  parseAuthenticationResults,
} from "./header.ts";

const result = (
  method: string,
  value: string,
  more: Partial<AuthenticationResult> & { p?: readonly string[] } = {},
): AuthenticationResult => {
  const { p = [], ...rest } = more;
  const properties = p.map((text) => {
    const [, ptype = "", property = "", own = ""] = /^(\w+)\.([\w-]+)=(.*)$/s.exec(text)!;
    return { ptype, property, value: own };
  });
  return { method, result: value, ...rest, properties };
};

describe("parseAuthenticationResults", () => {
  it.each<[string, AuthenticationResults, string]>([
    [" example.org 1; none", { authservId: "example.org", version: 1, results: [] }, "RFC 8601 B.2"],
    [
      "example.com;spf=pass smtp.mailfrom=example.net",
      {
        authservId: "example.com",
        results: [result("spf", "pass", { p: ["smtp.mailfrom=example.net"] })],
      },
      "B.3",
    ],
    [
      "example.com;\r\n auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n spf=pass smtp.mailfrom=example.net",
      {
        authservId: "example.com",
        results: [
          result("auth", "pass", { comment: "cram-md5", p: ["smtp.auth=sender@example.net"] }),
          result("spf", "pass", { p: ["smtp.mailfrom=example.net"] }),
        ],
      },
      "B.4",
    ],
    [
      'example.com;\n dkim=pass reason="good signature"\n header.i=@mail-router.example.net;\n dkim=fail reason="bad signature" header.i=@newyork.example.com',
      {
        authservId: "example.com",
        results: [
          result("dkim", "pass", { reason: "good signature", p: ["header.i=@mail-router.example.net"] }),
          result("dkim", "fail", { reason: "bad signature", p: ["header.i=@newyork.example.com"] }),
        ],
      },
      "B.6",
    ],
    [
      "foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n policy (A dot can go here) . (like that) expired\r\n (this surprised me) = (as I wasn't expecting it) 1362471462",
      {
        authservId: "foo.example.net",
        version: 1,
        results: [result("dkim", "fail", { version: 1, p: ["policy.expired=1362471462"] })],
      },
      "B.7, comments everywhere",
    ],
    [
      '"a b;c"; SPF=PASS SMTP.MailFrom="x\\"y"@example.org',
      {
        authservId: "a b;c",
        results: [result("spf", "pass", { p: ['smtp.mailfrom="x\\"y"@example.org'] })],
      },
      "an id in quotes, case, a local part in quotes",
    ],
    [
      "a; dkim=pass header.b=ab/c+d= (2048-bit key) header.s=sel; ",
      {
        authservId: "a",
        results: [result("dkim", "pass", { p: ["header.b=ab/c+d=", "header.s=sel"] })],
      },
      "in use: base64 without quotes, a semicolon at the end",
    ],
    [
      "a; dmarc=fail (p=reject (sp)) action=none reason=109 header.from=example.org;;spf=none smtp.mailfrom=",
      {
        authservId: "a",
        results: [
          result("dmarc", "fail", {
            comment: "p=reject (sp)",
            reason: "109",
            p: ["header.from=example.org"],
          }),
          result("spf", "none", { p: ["smtp.mailfrom="] }),
        ],
      },
      "in use: words without a type, an empty value",
    ],
    [
      "a; spf=pass smtp.mailfrom=j\xc3\xb6rg@example.org",
      {
        authservId: "a",
        results: [result("spf", "pass", { p: ["smtp.mailfrom=j\xc3\xb6rg@example.org"] })],
      },
      "UTF-8 stays octets",
    ],
    [
      'a; x=y x.y="b\r\n c\\\\"',
      { authservId: "a", results: [result("x", "y", { p: ["x.y=b c\\"] })] },
      "folds in quotes",
    ],
  ])("%j", (value, expected, reason) => {
    expect({ reason, parsed: parseAuthenticationResults(value) }).toEqual({
      reason,
      parsed: { ok: true, value: expected },
    });
  });

  it.each([
    ["", "an authserv-id belongs here"],
    ["; none", "an authserv-id belongs here"],
    ["spf=pass smtp.mailfrom=example.org", "a semicolon or the end belongs here"],
    ["a b; none", "a semicolon or the end belongs here"],
    ["a", 'neither results nor "none"'],
    ["a;", 'neither results nor "none"'],
    ["a 1234567890; none", "a version of too many digits"],
    ["a; none; spf=pass", 'there is more behind "none"'],
    ["a; spf=pass; none", '"none" stands behind results'],
    ["a; none x", "a semicolon or the end belongs here"],
    ["a; spf", 'the method "spf" has no result'],
    ["a; none/1", 'the method "none" has no result'],
    ["a; spf=", 'the method "spf" has no result'],
    ["a; spf/=pass", "the version of a method belongs here"],
    ["a; =pass", "the name of a method belongs here"],
    ["a; spf=pass smtp", '"smtp" has no value'],
    ["a; spf=pass smtp.=x", '"smtp." has no value'],
    ["a; spf=pass smtp.mailfrom", '"smtp.mailfrom" has no value'],
    ["a; spf=pass @", "a property, a semicolon or the end belongs here"],
    ['a; spf=pass reason="b', "a quoted string has no end"],
    ["a; spf=pass (b", "a comment has no end"],
    ["(a; spf=pass", "a comment has no end"],
    [`a${"; b=c".repeat(101)}`, "there are more than 100 results"],
    [`a; b=c${" d.e=f".repeat(101)}`, "a result has more than 100 properties"],
  ])("refuses %j: %s", (value, problem) => {
    const parsed = parseAuthenticationResults(value);
    expect(parsed.ok ? undefined : parsed.problem).toBe(problem);
  });
});

describe("formatAuthenticationResults", () => {
  const format = (authservId: string, ...results: AuthenticationResult[]) =>
    formatAuthenticationResults({ authservId, results });

  it.each<[string, string, string]>([
    [format("mx.example.org"), " mx.example.org; none", "nothing checked"],
    [formatAuthenticationResults({ authservId: "mx", version: 1, results: [] }), " mx 1; none", "a version"],
    [
      format("mx.example.org", result("iprev", "pass")),
      " mx.example.org; iprev=pass",
      "one that fits the line",
    ],
    [
      format(
        "mx.example.org",
        result("spf", "pass", { comment: "a (b) \\", p: ["smtp.mailfrom=a@example.org"] }),
        result("dkim", "fail", {
          version: 1,
          reason: "no key",
          p: ["header.d=example.org", "header.b=a+/="],
        }),
      ),
      ' mx.example.org;\r\n\tspf=pass (a \\(b\\) \\\\) smtp.mailfrom=a@example.org;\r\n\tdkim/1=fail reason="no key" header.d=example.org header.b="a+/="',
      "a line for each",
    ],
    [
      format(
        "mx",
        result("spf", "fail", { comment: `${"word ".repeat(20)}end`, p: ["smtp.mailfrom=a@example.org"] }),
      ),
      ` mx;\r\n\tspf=fail (${"word ".repeat(12)}word\r\n ${"word ".repeat(7)}end) smtp.mailfrom=a@example.org`,
      "a long comment",
    ],
    [
      format(
        "mx",
        result("spf", "pass", { p: ['smtp.mailfrom="a b"@example.org', "smtp.helo=", "x.y=a..b@c"] }),
      ),
      ' mx;\r\n\tspf=pass smtp.mailfrom="a b"@example.org smtp.helo="" x.y="a..b@c"',
      "addresses and what is none",
    ],
    [
      format("m\xfc\r\nX: y", result("a\r\n:b", "", { comment: "\t)\0\x7f\u20ac", p: ["x.y=\r\n\r\nbody"] })),
      ' "m?  X: y"; a---b=- ( \\)???) x.y="    body"',
      "what could do harm",
    ],
  ])("%j", (formatted, expected, reason) => {
    expect({ formatted, reason }).toEqual({ formatted: expected, reason });
  });

  const keyword = fc
    .stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/)
    .filter((word) => word !== "reason");
  const text = fc.oneof(
    fc.stringMatching(/^[ -~]{0,120}$/),
    fc.stringMatching(/^[a-z.]{1,10}@[a-z.]{1,10}$/),
    fc.stringMatching(/^"[a-z "\\]{0,10}"@[a-z]{1,10}$/),
    fc.constantFrom("", " ", "@example.org", '"', "\\", "none", "a@b", '""@c'),
  );
  const hostile = fc.oneof(
    text,
    fc.string({ unit: "binary", maxLength: 60 }),
    fc
      .array(fc.constantFrom("\r\n", "\n", "\r", "\t", "\0", ";", '"', "(", ")", "\\", "X: y", " ", "\xff"), {
        maxLength: 20,
      })
      .map((list) => list.join("")),
    fc.constantFrom("x".repeat(10_000), "\\".repeat(1_000), `a ${"y".repeat(900)}`),
  );
  const resultsOf = (words: fc.Arbitrary<string>, values: fc.Arbitrary<string>) =>
    fc.record(
      {
        authservId: values,
        version: fc.nat(999_999_999),
        results: fc.array(
          fc.record(
            {
              method: words,
              version: fc.nat(99),
              result: words,
              reason: values,
              comment: values,
              properties: fc.array(fc.record({ ptype: words, property: words, value: values }), {
                maxLength: 4,
              }),
            },
            { requiredKeys: ["method", "result", "properties"] },
          ),
          { maxLength: 4 },
        ),
      },
      { requiredKeys: ["authservId", "results"] },
    ) as fc.Arbitrary<AuthenticationResults>;

  it("is read back as it was", () => {
    fc.assert(
      fc.property(resultsOf(keyword, text), (results) => {
        expect(parseAuthenticationResults(formatAuthenticationResults(results))).toEqual({
          ok: true,
          value: results,
        });
      }),
      { numRuns: 3_000 },
    );
  });

  it("is one header field, whatever goes in, and has no more results than went in", () => {
    fc.assert(
      fc.property(resultsOf(hostile, hostile), (results) => {
        const formatted = formatAuthenticationResults(results);
        expect(formatted).toMatch(/^ (?:[\t -~]|\r\n(?=[\t ]+[!-~]))*$/);
        for (const line of formatted.split("\r\n")) expect(line.length).toBeLessThanOrEqual(998 - 24);
        const parsed = parseAuthenticationResults(formatted);
        expect(parsed.ok).toBe(true);
        if (!parsed.ok) return;
        expect(parsed.value.results).toHaveLength(results.results.length);
        for (const [at, { properties }] of parsed.value.results.entries()) {
          expect(properties).toHaveLength(results.results[at]!.properties.length);
        }
        expect(formatAuthenticationResults(parsed.value)).toBe(formatted);
      }),
      { numRuns: 3_000 },
    );
  });

  it("keeps lines short where words are", () => {
    const short = fc.stringMatching(/^[a-z ]{0,60}$/).filter((it) => !/\S{40}| {8}/.test(it));
    fc.assert(
      fc.property(resultsOf(keyword, short), (results) => {
        const lines = formatAuthenticationResults(results).split("\r\n").slice(1);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(78);
      }),
    );
  });
});

describe("hostile values", () => {
  const pieces = [
    ...[
      "a",
      ";",
      "=",
      "/",
      ".",
      "(",
      ")",
      '"',
      "\\",
      " ",
      "\r\n ",
      "1",
      "none",
      "spf=pass",
      "reason=",
      "smtp.a=b ",
      "@",
    ],
    ...["\xff", "\0", "(a)", '""', "; a=b", '"@'],
  ];

  it("do not make it throw", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 20 }), (list) => {
        parseAuthenticationResults(list.join(""));
        parseAuthenticationResults(`a; spf=pass ${list.join("")}`);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each(pieces)("1 MiB of %j takes no time that grows with its square", (piece) => {
    const started = performance.now();
    const text = piece.repeat(2 ** 20 / piece.length);
    for (const start of ["", "a; ", "a; spf=pass ", "a; spf=pass x.y="])
      parseAuthenticationResults(start + text);
    expect(performance.now() - started).toBeLessThan(4_500);
  });
});
