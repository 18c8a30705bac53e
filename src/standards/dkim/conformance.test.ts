/** Messages that others signed, with the keys that were published then. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { verifyMail } from "../../../test/support/dkim-mail.ts";
import { mailText } from "../../../test/support/mail-text.ts";
import { tableResolver, txt } from "../../../test/support/table-resolver.ts";

const SUITE = "../shared/corpora/dkim";

const isThere = existsSync(SUITE);
if (!isThere) console.warn(`${SUITE} is not there: signed messages of others are not tried`);

describe.skipIf(!isThere)("messages that others signed", () => {
  const names = isThere ? readdirSync(SUITE).filter((name) => name.endsWith(".txt")) : [];

  it("are all there", () => {
    expect(names).toHaveLength(6);
  });

  it.each(names)("%s", async (name) => {
    const text = readFileSync(`${SUITE}/${name}`, "utf8");
    const [, dns = "", message = ""] = /^((?:.+\n)+)\n([\s\S]*)$/.exec(text) ?? [];
    const table = Object.fromEntries(
      dns
        .trim()
        .split("\n")
        .map((line) => [line.slice(0, line.indexOf(" ")), [txt(line.slice(line.indexOf(" ") + 1))]]),
    );
    const all = await verifyMail(mailText(message), tableResolver(table), {
      now: new Date(1_667_843_664_000),
    });
    expect(all.at(-1)).toMatchObject({ result: "pass" });
    expect(all.map(({ result }) => result)).not.toContain("temperror");
  });
});
