/** dkimpy, the library, in one process of Python that is handed all at once. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { privatePem, privateSeed } from "../../src/keys/private-text.ts";
import type { HeaderField } from "../../src/standards/message/header-field.ts";
import { wireOctets } from "./awkward-mail.ts";
import { type DkimPeer, PEER_KEYS, readFields } from "./dkim-peers.ts";

/** The distribution's Python has the library, whatever else stands on the path. */
const PYTHON = "/usr/bin/python3";

const SCRIPT = `
import sys, json, base64, re, dkim
task = json.load(sys.stdin)
records = task["records"]
look = lambda name, timeout=5: records.get(name.decode().rstrip("."), "").encode()
def sign(wish):
    mail = base64.b64decode(wish["mail"])
    made = b""
    try:
        for selector, algorithm, key in wish["keys"]:
            made = dkim.sign(mail, selector.encode(), wish["domain"].encode(), key.encode(),
                             canonicalize=tuple(part.encode() for part in wish["pair"].split("/")),
                             signature_algorithm=algorithm.encode()) + made
        return base64.b64encode(made).decode()
    except Exception as error:
        return ""
def verify(mail):
    mail = base64.b64decode(mail)
    found = {}
    try:
        one = dkim.DKIM(mail, minkey=1024)
    except Exception as error:
        return {"": str(error)}
    count = len([name for name, _ in one.headers if name.lower() == b"dkim-signature"])
    for at in range(count):
        try:
            one = dkim.DKIM(mail, minkey=1024)
            result = "pass" if one.verify(at, dnsfunc=look) else "fail"
        except Exception as error:
            result = str(error)
        selector = getattr(one, "selector", None) or b""
        found[selector if isinstance(selector, str) else selector.decode()] = result
    return found
print(json.dumps({"signed": [sign(each) for each in task["sign"]], "verified": [verify(each) for each in task["verify"]]}))
`;

export const startDkimpy = async (): Promise<DkimPeer> => ({
  async verify(mails) {
    const { verified } = await run({ verify: mails.map((mail) => wireOctets(mail).toString("base64")) });
    return verified.map((found) => new Map(Object.entries(found)));
  },
  async sign(wishes) {
    const { signed } = await run({
      sign: wishes.map(({ mail, pair, keys }) => ({
        mail: wireOctets(mail).toString("base64"),
        pair,
        domain: keys[0]!.signingDomain,
        keys: keys.map(({ dkimSelector, keyType, privateKey }) => [
          dkimSelector,
          `${keyType}-sha256`,
          keyType === "rsa" ? privatePem(privateKey, keyType) : privateSeed(privateKey),
        ]),
      })),
    });
    return signed.map((made): readonly HeaderField[] =>
      readFields(Buffer.from(made, "base64").toString("latin1")),
    );
  },
  async stop() {},
});

interface Task {
  readonly sign?: readonly unknown[];
  readonly verify?: readonly string[];
}

interface Done {
  readonly signed: readonly string[];
  readonly verified: readonly Record<string, string>[];
}

async function run({ sign = [], verify = [] }: Task): Promise<Done> {
  const records = Object.fromEntries(
    Object.values(PEER_KEYS).map(({ owner, recordText }) => [owner, recordText]),
  );
  const python = spawn(PYTHON, ["-W", "ignore", "-c", SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(python, "exit");
  python.stdin.end(JSON.stringify({ sign, verify, records }));
  const out = await text(python.stdout);
  await exited;
  return JSON.parse(out) as Done;
}
