/** `zonepost mail`: what is said of mail itself, and its commands. */
import { type Command, Option } from "commander";
import { readDuration } from "./argument.ts";
import type { ExitCode } from "./exit-code.ts";
import { addMailAuthenticate } from "./mail-authenticate.ts";
import { runMailProve, SINK_HELP } from "./mail-prove.ts";
import { addMailSign } from "./mail-sign.ts";
import type { Tools } from "./tools.ts";
import { addViewOptions, repeatable } from "./view-options.ts";

export function addMail(
  program: Command,
  command: (name: string, description: string, parent: Command) => Command,
  tools: Tools,
  finish: (code: ExitCode) => void,
): void {
  const mail = program.command("mail").description("mail itself: sent, received and judged");
  addViewOptions(
    command(
      "prove",
      "send a mail through your server, receive it, and show what a receiver sees of it",
      mail,
    ),
  )
    .argument("<domain>", "the domain that stands in From")
    .addOption(
      new Option(
        "--submission <host[:port]>",
        "the server that takes mail from its users (default: that of the description)",
      ),
    )
    .addOption(
      new Option("--sendmail [path]", "hand the mail to the local program instead").conflicts("submission"),
    )
    .addOption(
      new Option("--tls <how>", "how TLS begins (default: implicit on port 465, else starttls)").choices([
        "starttls",
        "implicit",
      ]),
    )
    .option("--user <name>", "the log-in name; without one there is no log-in")
    .option(
      "--password-file <file>",
      "its first line is the password (default: ZONEPOST_SUBMISSION_PASSWORD, then asked for)",
    )
    .option("--insecure-submission", "take any certificate, and log in without TLS where there is none")
    .addOption(
      repeatable(
        "--trust <file>",
        "a certificate authority in PEM that counts beside the public ones",
        "none",
      ),
    )
    .option("--from <address>", "the sender (default: postmaster@ the domain)")
    .option("--listen <ip:port>", "where the mail is received", "127.0.0.1:2525")
    .option(
      "--recipient <domain>",
      "what stands behind the @ of the recipient: a name, or an address as in [192.0.2.7] (default: the address on port 25, else prove.invalid)",
    )
    .option("--cert <file>", "the certificate of the receiving end in PEM (default: one that signs itself)")
    .option("--key <file>", "its key in PEM")
    .addOption(repeatable("--ip <address>", "judge as if the mail came from there", "as it was seen"))
    .option("-c, --config <file>", "the description (default: zonepost.yaml, where there is one)")
    .option("--save <file>", "write the message as it arrived into this file")
    .option(
      "--timeout <duration>",
      "how long to wait for the mail",
      (text: string) => readDuration(text, "--timeout", 1),
      60,
    )
    .addOption(repeatable("--assume-public <cidr>", "count this network as public, for laboratories", "none"))
    .addHelpText("after", SINK_HELP)
    .action(async (domain, options) => finish(await runMailProve(domain, options, tools)));
  const sub = (name: string, about: string) => command(name, about, mail);
  addMailAuthenticate(sub, tools, finish);
  addMailSign(sub, tools, finish);
}
