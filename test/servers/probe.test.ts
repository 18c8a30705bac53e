/** The prober against real mail and web servers, in a network of their own. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Protocol, ServiceProbe, ServiceSession, ServiceTarget } from "../../src/check/probe.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { createAuthority } from "../support/certificates.ts";
import { type DovecotListener, startDovecot } from "../support/dovecot.ts";
import { Stoppables } from "../support/laboratory.ts";
import { type NamespaceProber, startProber } from "../support/namespace-prober.ts";
import { makeNamespace } from "../support/network-namespace.ts";
import { startNginx } from "../support/nginx.ts";
import { startPostfix } from "../support/postfix.ts";
import { ipAddress } from "../support/probe-target.ts";
import { describeWithServers } from "../support/real-server.ts";

const GOOD = "198.18.0.25";
const GOOD6 = "2001:db8::25";
const EXPIRED = "198.18.0.26";
const PLAIN = "198.18.0.27";
const BUSY = "198.18.0.28";
const OLD = "198.18.0.29";
const EMPTY = "198.18.0.30";
const SILENT = "198.19.0.1";
const NOWHERE = "203.0.113.1";

const HOST = "mail.example.org";
const POLICY = "version: STSv1\nmode: enforce\nmx: mail.example.org\nmax_age: 86400\n";
const POLICY_PATH = "/.well-known/mta-sts.txt";

const DOVECOT_PORTS = { imap: 143, imaps: 993, pop3: 110, pop3s: 995, sieve: 4190 } as const;

function onAllPorts(address: string): DovecotListener[] {
  return Object.entries(DOVECOT_PORTS).map(([protocol, port]) => ({
    protocol: protocol as DovecotListener["protocol"],
    address,
    port,
  }));
}

describeWithServers(
  ["ip", "postfix", "dovecot", "imap-login", "pop3-login", "managesieve-login", "nginx"],
  "real servers",
  () => {
    const running = new Stoppables();
    let prober: NamespaceProber;

    beforeAll(async () => {
      const namespace = makeNamespace({
        addresses: [GOOD, GOOD6, EXPIRED, PLAIN, BUSY, OLD, EMPTY],
        silentNetworks: ["198.19.0.0/16"],
      });
      running.add({ stop: () => namespace.remove() });
      const authority = createAuthority();
      const names = [HOST, "mta-sts.example.org"];
      const good = authority.issue({ subject: HOST, names });
      const other = authority.issue({ subject: "www.example.net", names: ["www.example.net"] });
      const yesterday = new Date(Date.now() - 86_400_000);
      const longAgo = new Date(Date.now() - 100 * 86_400_000);
      const expired = authority.issue({ subject: HOST, names, notBefore: longAgo, notAfter: yesterday });
      const inside = { namespace: namespace.name };
      const dovecot = running.add(
        await startDovecot({
          ...inside,
          listeners: [...onAllPorts(GOOD), ...onAllPorts(EXPIRED), ...onAllPorts(PLAIN)],
          addresses: [
            { address: GOOD, certificate: good },
            { address: EXPIRED, certificate: expired },
            { address: PLAIN },
          ],
        }),
      );
      const login = { smtpd_sasl_auth_enable: "yes", smtpd_tls_auth_only: "yes" };
      const hello = { myhostname: HOST };
      running.add(
        await startPostfix({
          ...inside,
          domains: ["example.org"],
          saslSocket: dovecot.saslSocket,
          listeners: [
            { address: GOOD, port: 25, certificate: good, options: hello },
            { address: GOOD6, port: 25, certificate: good, options: hello },
            { address: GOOD, port: 587, certificate: good, options: { ...hello, ...login } },
            {
              address: GOOD,
              port: 465,
              certificate: good,
              isTlsFirst: true,
              options: { ...hello, ...login },
            },
            { address: EXPIRED, port: 25, certificate: expired, options: hello },
            { address: PLAIN, port: 25, options: { myhostname: "localhost.localdomain" } },
            {
              address: BUSY,
              port: 25,
              options: { smtpd_client_restrictions: "reject", smtpd_delay_reject: "no" },
            },
            {
              address: OLD,
              port: 25,
              certificate: good,
              options: {
                smtpd_tls_protocols: ">=TLSv1, <=TLSv1.1",
                smtpd_tls_mandatory_ciphers: "low",
                tls_medium_cipherlist: "ALL:@SECLEVEL=0",
              },
            },
          ],
        }),
      );
      running.add(
        await startNginx({
          ...inside,
          sites: [
            {
              address: GOOD,
              port: 443,
              names: ["mta-sts.example.org"],
              certificate: good,
              pages: {
                [POLICY_PATH]: { body: POLICY, contentType: "text/plain" },
                "/moved": { redirect: "https://mta-sts.example.org/elsewhere" },
                "/refused": { status: 403 },
              },
            },
            { address: GOOD, port: 443, names: ["www.example.net"], certificate: other, pages: {} },
            { address: PLAIN, port: 443, names: ["plain.example.org"], pages: {} },
          ],
        }),
      );
      prober = running.add(
        await startProber(namespace, {
          ca: [authority.root.certificate],
          heloName: "probe.example.net",
          connectTimeoutMilliseconds: 500,
          totalTimeoutMilliseconds: 8_000,
        }),
      );
    });
    afterAll(() => running.stopAll());

    const probe = (
      protocol: Protocol,
      address: string,
      port: number,
      more: Partial<ServiceTarget> = {},
    ): Promise<ServiceProbe> =>
      prober.probeService({ protocol, address: ipAddress(address), port, host: domainName(HOST), ...more });

    it.each<[protocol: Protocol, port: number, inClear: readonly string[], inTls: readonly string[]]>([
      ["smtp", 25, ["STARTTLS", "PIPELINING"], ["PIPELINING", "SMTPUTF8"]],
      ["submission", 587, ["STARTTLS"], ["AUTH PLAIN LOGIN"]],
      ["submissions", 465, [], ["AUTH PLAIN LOGIN"]],
      ["imap", 143, ["IMAP4REV1", "STARTTLS", "LOGINDISABLED"], ["AUTH=PLAIN"]],
      ["imaps", 993, [], ["IMAP4REV1", "AUTH=PLAIN"]],
      ["pop3", 110, ["STLS"], ["SASL PLAIN LOGIN"]],
      ["pop3s", 995, [], ["USER", "SASL PLAIN LOGIN"]],
      ["sieve", 4190, ["STARTTLS", "VERSION 1.0"], ["SASL PLAIN LOGIN"]],
    ])("%s on port %i", async (protocol, port, inClear, inTls) => {
      const told = session(await probe(protocol, GOOD, port));
      expect(told.capabilities).toEqual(inClear.length > 0 ? expect.arrayContaining([...inClear]) : []);
      expect(told.capabilitiesInTls).toEqual(expect.arrayContaining([...inTls]));
      expect(told.tls).toMatchObject({
        status: "established",
        version: "TLSv1.3",
        trust: { ok: true },
        chain: [{ subject: `CN=${HOST}`, names: [HOST, "mta-sts.example.org"] }, {}],
      });
    });

    it("tells name and greeting, over IPv6 too", async () => {
      for (const address of [GOOD, GOOD6]) {
        expect(await probe("smtp", address, 25)).toMatchObject({
          greeting: { code: 220, text: `${HOST} ESMTP Postfix` },
          serverName: HOST,
        });
      }
    });

    it("asks whether mail would be taken", async () => {
      const asked = (rcptTo: string) => probe("smtp", GOOD, 25, { envelope: { mailFrom: "", rcptTo } });
      expect(session(await asked("postmaster@example.org")).replies).toMatchObject([
        { command: "MAIL FROM", code: 250 },
        { command: "RCPT TO", code: 250 },
      ]);
      expect(session(await asked("postmaster@example.com")).replies).toMatchObject([
        { command: "MAIL FROM", code: 250 },
        { command: "RCPT TO", code: 554, text: expect.stringContaining("Relay access denied") },
      ]);
    });

    it.each<[protocol: Protocol, port: number]>([
      ["smtp", 25],
      ["imap", 143],
      ["imaps", 993],
      ["pop3s", 995],
      ["sieve", 4190],
    ])("sees an expired certificate: %s", async (protocol, port) => {
      const { tls } = session(await probe(protocol, EXPIRED, port));
      expect(tls).toMatchObject({ status: "established", trust: { ok: false, problem: "expired" } });
    });

    it.each<[protocol: Protocol, port: number]>([
      ["smtp", 25],
      ["imap", 143],
      ["pop3", 110],
    ])("sees that there is no TLS: %s", async (protocol, port) => {
      expect(session(await probe(protocol, PLAIN, port)).tls).toEqual({ status: "not-offered" });
    });

    it("hears that TLS is refused where it is offered all the same, as Dovecot's Sieve does", async () => {
      expect(session(await probe("sieve", PLAIN, 4190)).tls).toMatchObject({
        status: "failed",
        detail: expect.stringContaining("offers TLS and refuses it: NO"),
      });
    });

    it("sees which old versions are accepted", async () => {
      const { tls } = session(await probe("smtp", OLD, 25, { oldTls: true }));
      expect(tls).toMatchObject({
        status: "established",
        version: "TLSv1.1",
        oldVersions: ["TLSv1", "TLSv1.1"],
      });
      const { tls: today } = session(await probe("smtp", GOOD, 25, { oldTls: true }));
      expect(today).toMatchObject({ version: "TLSv1.3", oldVersions: [] });
    });

    it("tells of a greeting that is no welcome", async () => {
      expect(await probe("smtp", BUSY, 25)).toMatchObject({
        status: "answered",
        greeting: { code: 554 },
        tls: { status: "not-tried" },
      });
    });

    it.each<[status: ServiceProbe["status"], address: string, detail: string]>([
      ["refused", EMPTY, `connection refused by ${EMPTY} port 25`],
      ["timeout", SILENT, `no answer from ${SILENT} port 25 within 0.5 s`],
      ["unreachable", NOWHERE, `no way to ${NOWHERE} port 25 from here: ENETUNREACH`],
    ])("%s where there is no server", async (status, address, detail) => {
      expect(await probe("smtp", address, 25)).toEqual({ status, detail });
    });

    const fetched = (path: string, host = "mta-sts.example.org", addresses = [GOOD]) =>
      prober.fetchHttps({
        host: domainName(host),
        addresses: addresses.map(ipAddress),
        path,
        maxOctets: 65_536,
      });

    it("fetches a page", async () => {
      expect(await fetched(POLICY_PATH)).toMatchObject({
        status: "answered",
        httpStatus: 200,
        contentType: "text/plain",
        body: POLICY,
        tls: { version: expect.stringMatching(/^TLSv1\.[23]$/), trust: { ok: true } },
      });
    });

    it("fetches it from the first address that answers", async () => {
      expect(await fetched(POLICY_PATH, "mta-sts.example.org", [SILENT, EMPTY, GOOD])).toMatchObject({
        status: "answered",
        address: { text: GOOD },
      });
    });

    it.each<[path: string, status: number, location: string | undefined]>([
      ["/moved", 301, "https://mta-sts.example.org/elsewhere"],
      ["/refused", 403, undefined],
      ["/other", 404, undefined],
    ])("%s is %i", async (path, httpStatus, location) => {
      const answer = await fetched(path);
      expect(answer).toMatchObject({ status: "answered", httpStatus });
      expect("location" in answer ? answer.location : undefined).toBe(location);
    });

    it("asks for the host's certificate by name", async () => {
      expect(await fetched("/", "www.example.net")).toMatchObject({
        tls: { chain: [{ names: ["www.example.net"] }, {}] },
      });
    });

    it("has no TLS where a site speaks in the clear", async () => {
      expect(await fetched("/", "plain.example.org", [PLAIN])).toMatchObject({
        status: "tls-failed",
        detail: expect.stringContaining("something other than TLS"),
      });
    });
  },
  { asRoot: true },
);

function session(probe: ServiceProbe): ServiceSession {
  if (probe.status !== "answered") throw new Error(`${probe.status}: ${probe.detail}`);
  return probe;
}
