/** `zonepost mail prove` from end to end: Postfix with our milter signs, the MX in DNS leads to the receiving end. */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT } from "../../src/standards/dns/name.ts";
import { startBind } from "../support/bind.ts";
import { createAuthority } from "../support/certificates.ts";
import { startDovecot } from "../support/dovecot.ts";
import { Stoppables } from "../support/laboratory.ts";
import { MAIN, startMilterRun } from "../support/milter-process.ts";
import { makeMilterState } from "../support/milter-state.ts";
import { makeNamespace, type NetworkNamespace } from "../support/network-namespace.ts";
import { startPostfix } from "../support/postfix.ts";
import { describeWithServers, findProgram, makeServerDirectory } from "../support/real-server.ts";

const MAIL = "198.18.9.1";
/** The same server's second address, which has no name. */
const NAMELESS = "198.18.9.2";
const NAME_SERVER = "198.18.9.53";
const RECEIVER = "198.18.9.9";
const DOMAINS = ["example.org", "unsigned.example", "elsewhere.example", "nameless.example"];

const authority = createAuthority();
const certificate = authority.issue({ subject: "mail.example.org", names: ["mail.example.org"] });

const sends = (domain: string, address: string) => [
  `${domain}. TXT "v=spf1 ip4:${address} -all"`,
  `_dmarc.${domain}. TXT "v=DMARC1; p=reject"`,
];
const RECORDS = [
  `ns.invalid. A ${NAME_SERVER}`,
  `mail.example.org. A ${MAIL}`,
  "1.9.18.198.in-addr.arpa. PTR mail.example.org.",
  "prove.example.net. MX 10 sink.example.net.",
  `sink.example.net. A ${RECEIVER}`,
  ...sends("example.org", MAIL),
  ...sends("unsigned.example", MAIL),
  ...sends("elsewhere.example", "192.0.2.1"),
  ...sends("nameless.example", NAMELESS),
];

interface ProofJson {
  readonly lines: readonly {
    readonly subject: string;
    readonly severity: string;
    readonly result: string;
    readonly reason: string;
    readonly advice: string | null;
  }[];
}

describeWithServers(
  ["ip", "postfix", "dovecot", "named", "dkimverify"],
  "zonepost mail prove",
  () => {
    const running = new Stoppables();
    let namespace: NetworkNamespace;
    let directory: string;

    beforeAll(async () => {
      namespace = makeNamespace({
        addresses: [MAIL, NAMELESS, NAME_SERVER, RECEIVER],
        nameServer: NAME_SERVER,
      });
      running.add({ stop: () => namespace.remove() });
      directory = makeServerDirectory("prove");
      running.add({ stop: () => rmSync(directory, { recursive: true, force: true }) });
      mkdirSync(join(directory, "state"));
      const signs = (domain: string, at: number) =>
        ({ domain, selector: `s${at}`, algorithm: "rsa", state: "signing" }) as const;
      const state = running.add(
        await makeMilterState(
          join(directory, "state"),
          DOMAINS.filter((domain) => domain !== "unsigned.example").map(signs),
        ),
      );
      const zone = ["$TTL 300", ". SOA ns.invalid. h.invalid. 1 3600 600 86400 60", ". NS ns.invalid."];
      running.add(
        await startBind({
          namespace: namespace.name,
          address: NAME_SERVER,
          port: 53,
          zones: [{ apex: ROOT, text: `${[...zone, ...RECORDS, ...state.records].join("\n")}\n` }],
        }),
      );
      const socket = join(directory, "milter.sock");
      running.add(
        await startMilterRun({
          namespace,
          directory,
          description: JSON.stringify({
            servers: [{ host: "mail.example.org", addresses: [MAIL] }],
            domains: DOMAINS.map((domain) => ({ domain, clientSetup: false })),
          }),
          workers: 1,
          words: [
            ...["--state", join(directory, "state"), "--listen", `unix:${socket}`],
            ...["--socket-group", "postfix"],
          ],
        }),
      );
      const dovecot = running.add(
        await startDovecot({
          namespace: namespace.name,
          listeners: [{ protocol: "imap", address: MAIL, port: 143 }],
          addresses: [{ address: MAIL, certificate }],
        }),
      );
      const sasl = { smtpd_sasl_auth_enable: "yes", smtpd_tls_auth_only: "yes" };
      running.add(
        await startPostfix({
          namespace: namespace.name,
          domains: [],
          saslSocket: dovecot.saslSocket,
          listeners: [
            // What the proof itself advises for who should not be told of.
            { address: MAIL, port: 587, certificate, options: { ...sasl, cleanup_service_name: "discreet" } },
            { address: MAIL, port: 1587, certificate, options: sasl },
          ],
          services: [
            "discreet unix n - n - 0 cleanup\n  -o { header_checks = regexp:{ { /^Received:/ IGNORE } } }",
            `nameless unix - - n - - smtp\n  -o smtp_bind_address=${NAMELESS}`,
          ],
          settings: {
            myhostname: "mail.example.org",
            inet_interfaces: `${MAIL}, ${NAMELESS}`,
            smtp_bind_address: MAIL,
            disable_dns_lookups: "no",
            default_transport: "smtp",
            sender_dependent_default_transport_maps: "inline:{@nameless.example=nameless:}",
            smtp_tls_security_level: "may",
            smtpd_milters: `unix:${socket}`,
            milter_default_action: "tempfail",
          },
        }),
      );
      writeFileSync(join(directory, "authority.pem"), authority.root.certificate);
    }, 120_000);
    afterAll(() => running.stopAll());

    async function prove(domain: string, more: readonly string[] = []) {
      const words = [
        ...["mail", "prove", domain, "--submission", "mail.example.org", "--user", "alice@example.org"],
        ...["--trust", join(directory, "authority.pem"), "--listen", `${RECEIVER}:25`],
        ...["--recipient", "prove.example.net", "--assume-public", "198.18.0.0/15", "--timeout", "20s"],
        ...more,
      ];
      const child = spawn(
        findProgram("ip")!,
        ["netns", "exec", namespace.name, process.execPath, MAIN, ...words],
        {
          cwd: directory,
          env: { ...process.env, ZONEPOST_SUBMISSION_PASSWORD: "secret", NO_COLOR: "1" },
          stdio: ["ignore", "pipe", "pipe"],
        },
      );
      const exited = new Promise<number | null>((resolve) => child.on("close", resolve));
      const [out, err, exitCode] = await Promise.all([readAll(child.stdout), readAll(child.stderr), exited]);
      return { out, err, exitCode };
    }

    it("finds nothing to say of a server that is set up well, and keeps what arrived octet by octet", async () => {
      const saved = join(directory, "arrived.eml");
      const { out, err, exitCode } = await prove("example.org", ["--json", "--save", saved]);
      const { lines } = JSON.parse(out) as ProofJson;
      expect(lines.filter(({ severity }) => severity !== "ok")).toEqual([]);
      expect(lines.map(({ subject, result }) => `${subject} ${result}`)).toEqual([
        "submission accepted",
        "delivery arrived",
        "ptr pass",
        "helo mail.example.org",
        "spf pass",
        "dkim pass",
        "dmarc pass",
        "tls TLSv1.3",
        "arc none",
        "envelope <postmaster@example.org>",
        "received 0 hops",
        "header complete",
        "body unchanged",
      ]);
      expect({ err, exitCode }).toEqual({ err: "", exitCode: 0 });
      const octets = readFileSync(saved);
      expect(octets.toString("latin1").replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
      const script = "import base64, dkim, sys; print(dkim.verify(base64.b64decode(sys.stdin.read())))";
      const word = await namespace.run("/usr/bin/python3", ["-c", script], octets.toString("base64"));
      expect(word.trim()).toBe("True");
    });

    it("tells in a notice what the first Received field gives away", async () => {
      const { out, exitCode } = await prove("example.org", [
        "--submission",
        "mail.example.org:1587",
        "--json",
      ]);
      const { lines } = JSON.parse(out) as ProofJson;
      expect(lines.filter(({ severity }) => severity !== "ok")).toMatchObject([
        { subject: "received", severity: "notice", reason: expect.stringContaining("198.18.0.1") },
      ]);
      expect(exitCode).toBe(0);
    });

    it.each<[domain: string, exitCode: number, faults: readonly string[], text: RegExp]>([
      [
        "unsigned.example",
        2,
        ["dkim error none"],
        /^dkim +none\n {12}Nobody signed the message\.\n {12}→ Let your server sign: [\s\S]*smtpd_milters/m,
      ],
      [
        "elsewhere.example",
        2,
        ["spf error fail"],
        /^spf +fail\n {12}198\.18\.9\.1 is not among those who may send for elsewhere\.example by the term -all of\s+elsewhere\.example\.\n {12}→ Add 198\.18\.9\.1 to the SPF record/m,
      ],
      [
        "nameless.example",
        2,
        ["ptr error permerror", "helo warning mail.example.org"],
        /^ptr +permerror\n {12}198\.18\.9\.2 has no name \(PTR\)\.\n {12}→ Let the owner of 198\.18\.9\.2 /m,
      ],
    ])("of %s ends with %i: %j", async (domain, code, faults, text) => {
      const [json, plain] = [await prove(domain, ["--json"]), await prove(domain)];
      const { lines } = JSON.parse(json.out) as ProofJson;
      const found = lines.filter(({ severity }) => severity !== "ok");
      expect(found.map(({ subject, severity, result }) => `${subject} ${severity} ${result}`)).toEqual(
        faults,
      );
      expect([json.exitCode, plain.exitCode]).toEqual([code, code]);
      expect(plain.out).toMatch(text);
    });
  },
  { asRoot: true },
);
