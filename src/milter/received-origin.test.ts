import { describe, expect, it } from "vitest";
import { mailText } from "../../test/support/mail-text.ts";
import { traceOrigin } from "./received-origin.ts";

const traced = (header: string) => {
  const { clientIp, helo, mailFrom } = traceOrigin(mailText(`${header}\n\n`).fields).origin;
  return [clientIp?.text, helo, mailFrom];
};

describe("the Received field", () => {
  it.each<readonly [string, string | undefined, string | undefined, string]>([
    [
      "from mail.example.org (mail.example.org [192.0.2.25])\n\tby mx.example.net (Postfix) with ESMTPS id 1",
      "192.0.2.25",
      "mail.example.org",
      "Postfix",
    ],
    [
      "from friend (unknown [IPv6:2001:db8::1]) by mx.example.net with ESMTP",
      "2001:db8::1",
      "friend",
      "IPv6",
    ],
    [
      "from mail.example.org ([192.0.2.25] helo=relay.example.org) by mx.example.net with esmtp (Exim 4.98)",
      "192.0.2.25",
      "relay.example.org",
      "Exim",
    ],
    [
      "from unknown (HELO relay.example.org) (192.0.2.25)\n  by mx.example.net with SMTP",
      "192.0.2.25",
      "relay.example.org",
      "qmail",
    ],
    [
      "from mail.example.org (192.0.2.25) by mx.example.net (10.1.2.3) with Microsoft SMTP Server",
      "192.0.2.25",
      "mail.example.org",
      "Exchange; the address behind by is the receiver's",
    ],
    [
      "from [192.0.2.25] (port=1) by mx.example.net",
      "192.0.2.25",
      undefined,
      "an address literal says no name",
    ],
    ["by mx.example.net (Postfix, from userid 1000) id 1", undefined, undefined, "nobody connected"],
    ["from x ([unix socket]) by mx.example.net with LMTP", undefined, undefined, "a socket"],
    ["from x (x [999.0.2.1]) by y", undefined, undefined, "no address"],
    [`from ${"x".repeat(100_000)} [192.0.2.1]`, undefined, undefined, "so far nobody looks"],
  ])("%j is from %s as %s (%s)", (text, ip, helo) => {
    expect(traced(`Received: ${text}`)).toEqual([ip, helo, undefined]);
  });

  it("counts where it is the topmost of a client from outside", () => {
    const header = `Return-Path: <ann@example.org>
Received: from localhost (localhost [127.0.0.1]) by mx.example.net with ESMTP
Received: from gateway.example.net (gateway.example.net [10.0.0.5]) by mx.example.net with ESMTP
Received: from mail.example.org (mail.example.org [192.0.2.25]) by gateway.example.net with ESMTP
Received: from home (dsl.example.org [198.51.100.9]) by mail.example.org with ESMTPSA`;
    expect(traced(header)).toEqual(["192.0.2.25", "mail.example.org", "ann@example.org"]);
  });
});

it.each<readonly [string, string | undefined, string]>([
  ["Return-Path: <>", "", "a bounce"],
  ["Return-Path: <ann@example.org>", "ann@example.org", "an address"],
  ["Return-Path: ann@example.org", undefined, "no path"],
  ["Subject: x", undefined, "none"],
])("%j: the envelope sender is %j (%s)", (header, mailFrom) => {
  expect(traced(header)[2]).toBe(mailFrom);
});
