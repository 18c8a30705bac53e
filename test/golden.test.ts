/**
 * Description → records, byte for byte. `UPDATE_GOLDEN=1 npm test test/golden.test.ts` writes what is derived
 * now; the difference then shows in git, to be read before it is committed.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { formatRecords } from "../src/records/format.ts";
import { formatZoneText, parseZoneText } from "../src/standards/dns/zone-text.ts";
import { GOLDEN_DOMAINS } from "./support/golden.ts";

const EXPECTED = [
  "dane",
  "dual-stack",
  "everything",
  "internationalised",
  "key-mid-rotation",
  "long-txt",
  "many-domains",
  "no-mail",
  "one-server",
  "sub-domain-sends",
  "third-party-sender",
  "two-servers",
  "xmpp",
];

it("sees all golden domains", () => {
  expect(GOLDEN_DOMAINS.map(({ name }) => name)).toEqual(EXPECTED);
});

it.each(GOLDEN_DOMAINS)("$name", ({ folder, description, derived }) => {
  const file = join(folder, "zone.txt");
  const zone = formatRecords(derived, description, "zone", { nameStyle: "at" });
  const notes = derived.notes.map(({ about, text }) => `; note: ${about}: ${text}\n`).join("");
  const policies = derived.files.map(({ url, content }) =>
    [`; ${url}`, ...content.split("\r\n").slice(0, -1)].join("\n; ").concat("\n"),
  );
  const text = [zone, notes, ...policies].filter((part) => part !== "").join("\n");
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  expect(text).toBe(existsSync(file) ? readFileSync(file, "utf8") : "no zone.txt yet");

  const read = parseZoneText(text);
  expect(read.problems).toEqual([]);
  const lines = (records: typeof read.records) =>
    formatZoneText(records, { align: false }).split("\n").sort();
  expect(lines(read.records)).toEqual(lines(derived.records.map(({ record }) => record)));
});
