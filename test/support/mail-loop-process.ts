/** Run inside a network namespace: hands a mail in, receives it, and prints both as one line of JSON. */
import { text as readAll } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type {
  MailSinkSettings,
  MailSubmission,
  OutgoingMail,
  ReceivedMail,
  SubmissionServer,
} from "../../src/milter/mail-exchange.ts";
import { createMailSubmission } from "../../src/net/mail-submission.ts";
import { startSmtpSink } from "../../src/net/smtp-sink.ts";

export interface MailLoop {
  readonly sink: Omit<MailSinkSettings, "onMail" | "onVisit">;
  readonly server: Omit<SubmissionServer, "login">;
  readonly login?: { readonly user: string; readonly password: string };
  readonly mail: OutgoingMail;
  /** How long to wait for the server to come, where the mail was taken. */
  readonly waitMilliseconds: number;
}

export interface MailLoopResult {
  readonly submission: MailSubmission;
  readonly mails: readonly (Omit<ReceivedMail, "octets" | "client"> & {
    readonly client: Omit<ReceivedMail["client"], "address"> & { readonly address: string };
    /** As octet text. */
    readonly message: string;
  })[];
  readonly troubles: readonly (string | undefined)[];
}

const { sink, server, login, mail, waitMilliseconds } = JSON.parse(await readAll(process.stdin)) as MailLoop;
const mails: ReceivedMail[] = [];
const troubles: (string | undefined)[] = [];
const running = await startSmtpSink({
  ...sink,
  now: () => new Date(),
  onMail: (each) => mails.push(each),
  onVisit: ({ trouble }) => troubles.push(trouble),
});
const submit = createMailSubmission({
  ...server,
  ...(login && { login: { user: login.user, password: { reveal: () => login.password } } }),
  heloName: "client.example.net",
});
const submission = await submit(mail);
const isOver = () => submission.status !== "accepted" || mails.length + troubles.length > 0;
for (let waited = 0; !isOver() && waited < waitMilliseconds; waited += 50) await sleep(50);
await running.close();
const result: MailLoopResult = {
  submission,
  mails: mails.map(({ octets, client, ...rest }) => ({
    ...rest,
    client: { ...client, address: client.address.text },
    message: Buffer.from(octets).toString("latin1"),
  })),
  troubles,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
