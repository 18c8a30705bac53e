/** `zonepost import`: whatever is pasted, as records, with every mistake found in it. */
import { summarize } from "../../check/finding.ts";
import { type JudgedPaste, judgePasted, type Mistake } from "../../check/pasted.ts";
import { formFields, formLine, type NameStyle } from "../../records/form.ts";
import { MAX_PASTED_CHARACTERS } from "../../records/import/read-pasted.ts";
import { zoneLine } from "../../records/zone-listing.ts";
import { formatRdata } from "../../standards/dns/rdata-text.ts";
import { typeOf } from "../../standards/dns/record.ts";
import { readDomain, readFileNamed, readNetworks, readSelector } from "./argument.ts";
import { type ExitCode, exitCodeOf, UsageError } from "./exit-code.ts";
import { type Terminal, visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";

export const IMPORT_FORMATS = ["zone", "form"] as const;

export interface ImportOptions {
  readonly domain?: string;
  readonly selector?: string;
  readonly format: (typeof IMPORT_FORMATS)[number];
  readonly nameStyle: NameStyle;
  readonly assumePublic: readonly string[];
  readonly json?: boolean;
}

export async function runImport(file: string, options: ImportOptions, tools: Tools): Promise<ExitCode> {
  const text = file === "-" ? await tools.readStdin() : readFileNamed(file, tools);
  if (text.length > MAX_PASTED_CHARACTERS)
    throw new UsageError(`that is more than ${MAX_PASTED_CHARACTERS} characters; give it in parts`);
  const judged = await judgePasted(
    text,
    {
      domain: options.domain === undefined ? undefined : readDomain(options.domain),
      selector: options.selector === undefined ? undefined : readSelector(options.selector),
    },
    {
      now: tools.now(),
      organizationalDomain: tools.organizationalDomain,
      options: { dkimSelectors: [], assumePublic: readNetworks("--assume-public", options.assumePublic) },
    },
  );
  if (judged.records.length + judged.unplaced.length + judged.mistakes.length === 0)
    throw new UsageError(
      "no record was found in this text; paste what dig, nslookup or host print, zone lines, a signer's file, a form, or a table",
    );
  const { terminal } = tools;
  terminal.out(
    options.json ? `${JSON.stringify(jsonOf(judged), null, 2)}\n` : textOf(judged, options, terminal),
  );
  return exitCodeOf([summaryOf(judged)]);
}

const summaryOf = ({ mistakes }: JudgedPaste) => summarize(mistakes);

function jsonOf(judged: JudgedPaste): object {
  const { zone, records, unplaced, mistakes } = judged;
  return {
    zone: zone ?? null,
    summary: summaryOf(judged),
    records: records.map((record) => ({
      owner: record.name,
      type: typeOf(record.data),
      ttlSeconds: record.ttlSeconds,
      value: formatRdata(record.data),
      zoneText: zoneLine(record),
      form: formFields(record, zone),
    })),
    unplaced,
    mistakes: mistakes.map(({ line, ...mistake }) => ({ line: line ?? null, ...mistake })),
  };
}

function textOf(judged: JudgedPaste, { format, nameStyle }: ImportOptions, terminal: Terminal): string {
  const { zone, records, mistakes } = judged;
  const { style } = terminal;
  const lines = records.map((record) =>
    format === "form" ? formLine(formFields(record, zone, nameStyle)) : zoneLine(record),
  );
  const shown = lines.length === 0 ? [] : [lines.map(visible).join("\n")];
  const told = mistakes.map((mistake) => mistakeText(mistake, terminal));
  // Zone text stays zone text when both are copied.
  const heading = style.dim(
    `; ${records.length === 1 ? "1 record" : `${records.length} records`}${zone === undefined ? "" : ` of ${visible(zone)}`}; ${summaryOf(judged).sentence}`,
  );
  return `${[heading, ...shown, ...told].join("\n\n")}\n`;
}

const MARKS = {
  error: ["✗", "red"],
  unknown: ["?", "magenta"],
  warning: ["!", "yellow"],
  notice: ["·", "blue"],
  ok: ["✓", "green"],
} as const;

function mistakeText(mistake: Mistake, { style, columns }: Terminal): string {
  const { line, severity, code, owner, problem, why, reference, corrected } = mistake;
  const [mark, colour] = MARKS[severity];
  const place = [line === undefined ? undefined : `line ${line}`, owner && visible(owner)]
    .filter((part) => part !== undefined)
    .join(", ");
  return [
    `${style[colour](mark)} ${style.bold(place === "" ? "the text" : place)}  ${style.dim(code)}`,
    ...indented(visible(problem), columns),
    ...(why === undefined ? [] : [wrap(visible(`${why} (${reference})`), columns, "    ")]),
    ...(why === undefined ? [style.dim(`    ${reference}`)] : []),
    ...corrected.map((text) => `    ${style.green(`+ ${visible(text)}`)}`),
  ].join("\n");
}

/** A caret under a place must stay under it. */
function indented(text: string, columns: number): string[] {
  return text.includes("\n") ? text.split("\n").map((line) => `    ${line}`) : [wrap(text, columns, "    ")];
}
