/** Handing mail in: the dialogue, what each refusal is called, and servers that mean ill. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createAuthority } from "../../test/support/certificates.ts";
import { type ScriptedServer, startScript, startServerOf } from "../../test/support/scripted-server.ts";
import type { MailSubmission, SubmissionServer } from "../milter/mail-exchange.ts";
import { createLocalSubmission, createMailSubmission } from "./mail-submission.ts";

const PASSWORD = "a secret that is told to nobody";
const authority = createAuthority();
const { chain, key } = authority.issue({ subject: "localhost", names: ["localhost"] });
const TLS = { cert: chain, key };
const MAIL = {
  mailFrom: "bob@example.org",
  rcptTo: "prove-1@prove.invalid",
  message: "A: b\r\n\r\n.\r\n..x\r\n",
};
const LOGIN = { user: "bob", password: { reveal: () => PASSWORD } };

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const HELLO = {
  EHLO: "250-mail.example.org\r\n250-STARTTLS\r\n250 SIZE 1000\r\n",
  STARTTLS: "220 go on\r\n",
};
const IN_TLS = {
  EHLO: "250-mail.example.org\r\n250 AUTH PLAIN LOGIN\r\n",
  AUTH: "235 welcome\r\n",
  MAIL: "250 ok\r\n",
  RCPT: "250 ok\r\n",
  DATA: "354 go on\r\n",
  ".\r": "250 never\r\n",
  ". ": "250 never\r\n",
  QUIT: "221 bye\r\n",
};
const base64 = (text: string) => Buffer.from(text).toString("base64");

interface Setup {
  readonly replies?: Readonly<Record<string, string>>;
  readonly inTls?: Readonly<Record<string, string>>;
  readonly options?: Partial<SubmissionServer>;
  readonly isAnonymous?: boolean;
}

/** The line with the dot alone is the one that begins with nothing but a dot. */
async function submitTo({ replies = {}, inTls = {}, options = {}, isAnonymous = false }: Setup): Promise<{
  outcome: MailSubmission;
  heard: readonly string[];
}> {
  const spoken = await startScript(
    {
      greeting: "220 mail.example.org\r\n",
      replies: { ...replies, ...HELLO, ...replies },
      startTlsOn: "STARTTLS",
      inTls: {
        replies: { ...inTls, ...IN_TLS, ...inTls, "..x": "", "..": "", ".": "250 taken as 1234\r\n" },
      },
    },
    TLS,
  );
  server = spoken;
  const submit = createMailSubmission({
    host: "localhost",
    port: spoken.port,
    tls: "starttls",
    authorities: [authority.root.certificate],
    isTrustedBlindly: false,
    heloName: "client.example.net",
    ...(!isAnonymous && { login: LOGIN }),
    totalTimeoutMilliseconds: 2_000,
    ...options,
  });
  return { outcome: await submit(MAIL), heard: spoken.heard };
}

describe("a submission", () => {
  it("goes from EHLO to QUIT, with dots doubled", async () => {
    const { outcome, heard } = await submitTo({});
    expect(outcome).toEqual({
      status: "accepted",
      reply: "250 taken as 1234",
      tls: { version: "TLSv1.3", cipher: expect.stringMatching(/^TLS_/) },
    });
    expect(heard).toEqual([
      "EHLO client.example.net",
      "STARTTLS",
      "EHLO client.example.net",
      `AUTH PLAIN ${base64(`\0bob\0${PASSWORD}`)}`,
      "MAIL FROM:<bob@example.org>",
      "RCPT TO:<prove-1@prove.invalid>",
      "DATA",
      "A: b",
      "..",
      "...x",
      ".",
      "QUIT",
    ]);
  });

  it("logs in with LOGIN where there is no PLAIN", async () => {
    const inTls = {
      EHLO: "250-mail.example.org\r\n250 AUTH LOGIN\r\n",
      "AUTH LOGIN": "334 VXNlcm5hbWU6\r\n",
      [base64("bob")]: "334 UGFzc3dvcmQ6\r\n",
      [base64(PASSWORD)]: "235 welcome\r\n",
    };
    const { outcome } = await submitTo({ inTls });
    expect(outcome.status).toBe("accepted");
  });

  it("waits for the server to ask where the answer is long", async () => {
    const long = "x".repeat(600);
    const { outcome, heard } = await submitTo({
      inTls: { "AUTH PLAIN": "334 \r\n", [base64(`\0bob\0${long}`)]: "235 welcome\r\n" },
      options: { login: { user: "bob", password: { reveal: () => long } } },
    });
    expect(outcome.status).toBe("accepted");
    expect(heard).toContain("AUTH PLAIN");
  });

  it("needs no log-in where none is given", async () => {
    const { heard } = await submitTo({ isAnonymous: true });
    expect(heard.join()).not.toContain("AUTH");
  });

  it.each<[setup: Setup, step: string, detail: string, reason: string]>([
    [{ inTls: { AUTH: "535 5.7.8 no\r\n" } }, "login", "answered AUTH with 535 5.7.8 no", "a wrong password"],
    [
      { inTls: { EHLO: "250-m\r\n250 AUTH GSSAPI\r\n" } },
      "login",
      "offers only GSSAPI; PLAIN or LOGIN is needed",
      "no way in common",
    ],
    [{ inTls: { EHLO: "250 m\r\n" } }, "login", "offers no way to log in", "none at all"],
    [
      { inTls: { MAIL: "553 5.7.1 not you\r\n" } },
      "sender",
      "answered MAIL FROM with 553",
      "not his address",
    ],
    [
      { inTls: { RCPT: "450 4.1.2 unknown\r\n" } },
      "recipient",
      "answered RCPT TO with 450",
      "no such domain",
    ],
    [{ inTls: { DATA: "554 no\r\n" } }, "message", "answered DATA with 554 no", "not now"],
    [{ replies: { EHLO: "250 m\r\n" } }, "tls", "offers no STARTTLS", "no password in the clear"],
    [{ replies: { STARTTLS: "454 no\r\n" } }, "tls", "refuses it: 454 no", "nor after a refusal"],
    [{ options: { authorities: [] } }, "tls", "cannot be trusted: its certificate", "an unknown authority"],
    [{ options: { host: "127.0.0.1" } }, "tls", "stands for localhost, not for 127.0.0.1", "another name"],
  ])("%j is refused at %s: %s (%s)", async (setup, step, detail) => {
    const { outcome, heard } = await submitTo(setup);
    expect(outcome).toMatchObject({ status: "refused", step, detail: expect.stringContaining(detail) });
    expect(JSON.stringify(outcome)).not.toContain(PASSWORD);
    if (step === "tls") expect(heard.join()).not.toContain("AUTH");
  });

  it("goes on blindly where that is asked for", async () => {
    const options = { authorities: [], isTrustedBlindly: true };
    expect((await submitTo({ options })).outcome.status).toBe("accepted");
  });

  it("is refused by the greeting", async () => {
    server = await startScript({ greeting: "554 5.7.1 go away\r\n", replies: {} });
    expect(await at(server)).toMatchObject({
      status: "refused",
      step: "greeting",
      detail: expect.stringContaining("554 5.7.1 go away"),
    });
  });

  it("says where nobody listens, and where no address is known", async () => {
    const gone = await startServerOf(() => {});
    await gone.close();
    expect(await at(gone)).toEqual({
      status: "failed",
      detail: `connection refused by localhost port ${gone.port}`,
    });
    const submit = createMailSubmission({ ...options(1), host: "no-such-name.invalid" });
    expect(await submit(MAIL)).toMatchObject({
      status: "failed",
      detail: expect.stringContaining("no-such-name.invalid port 1"),
    });
  });

  it.each<[field: object, reason: string]>([
    [{ rcptTo: "a@b>\r\nRCPT TO:<c@d" }, "a second command"],
    [{ mailFrom: "a\r\n@b" }, "a line break"],
    [{ message: "a\nb\r\n" }, "a bare LF, which some server may take for the end of a line"],
    [{ message: "a\rb\r\n" }, "a bare CR"],
  ])("%j is not sent (%s)", async (field) => {
    await expect(createMailSubmission(options(1))({ ...MAIL, ...field })).rejects.toThrow(TypeError);
  });
});

const options = (port: number) => ({
  host: "localhost",
  port,
  tls: "starttls" as const,
  authorities: [authority.root.certificate],
  isTrustedBlindly: false,
  heloName: "client.example.net",
  login: LOGIN,
  connectTimeoutMilliseconds: 2_000,
  totalTimeoutMilliseconds: 2_000,
});
const at = ({ port }: ScriptedServer) => createMailSubmission(options(port))(MAIL);

describe("servers that mean ill", () => {
  it.each<[reason: string, onConnection: (socket: Socket) => void, detail: string]>([
    ["says nothing", () => {}, "within 2 s"],
    ["hangs up", (socket) => socket.end(), "closed the connection"],
    ["cuts", (socket) => socket.resetAndDestroy(), "reset the connection"],
    ["speaks HTTP", (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"), "something unexpected"],
    ["one endless line", (socket) => socket.write("2".repeat(20_000)), "8 KiB"],
    ["endless lines", (socket) => socket.write("220-x\r\n".repeat(1_000)), "256 lines"],
    [
      "text in the clear behind STARTTLS",
      (socket) => {
        socket.write("220 x\r\n");
        socket.on("data", (chunk) => {
          if (String(chunk).startsWith("EHLO")) socket.write("250-m\r\n250 STARTTLS\r\n");
          if (String(chunk).startsWith("STARTTLS")) socket.write("220 go\r\n250 AUTH PLAIN\r\n");
        });
      },
      "further text in the clear",
    ],
    [
      "drips",
      (socket) => {
        const drip = setInterval(() => socket.writable && socket.write("2"), 50);
        socket.on("close", () => clearInterval(drip));
      },
      "within 2 s",
    ],
  ])("%s", async (_reason, onConnection, detail) => {
    server = await startServerOf(onConnection);
    const startedAt = performance.now();
    expect(await at(server)).toMatchObject({ status: "failed", detail: expect.stringContaining(detail) });
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    await expect.poll(() => server?.openCount).toBe(0);
  });
});

describe("the local program", () => {
  it.each<[script: string, outcome: object, reason: string]>([
    [
      'echo "$@" > "$0.args"; cat > "$0.mail"; exit 0',
      { status: "accepted", reply: "", tls: undefined },
      "takes it",
    ],
    [
      'echo "sendmail: fatal: no queue" >&2; exit 75',
      {
        status: "refused",
        step: "message",
        detail: expect.stringMatching(/ended with 75: sendmail: fatal: no/),
      },
      "refuses it",
    ],
    [
      "exec sleep 10",
      { status: "failed", detail: expect.stringContaining("did not end within 0.5 s") },
      "hangs",
    ],
  ])("%s → %j (%s)", async (script, outcome) => {
    const folder = mkdtempSync(join(tmpdir(), "zonepost-sendmail-"));
    try {
      const program = join(folder, "sendmail");
      writeFileSync(program, `#!/bin/sh\n${script}\n`);
      chmodSync(program, 0o755);
      expect(await createLocalSubmission(program, 500)(MAIL)).toEqual(outcome);
      if ("reply" in outcome) {
        expect(readFileSync(`${program}.args`, "utf8")).toBe(
          "-i -f bob@example.org -- prove-1@prove.invalid\n",
        );
        expect(readFileSync(`${program}.mail`, "utf8")).toBe("A: b\n\n.\n..x\n");
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("may be missing", async () => {
    expect(await createLocalSubmission("/nowhere/sendmail")(MAIL)).toEqual({
      status: "failed",
      detail: "cannot run /nowhere/sendmail: there is no such program",
    });
  });
});
