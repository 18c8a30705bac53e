/** `zonepost explain`: a record in words. */
import { explainRecord } from "../../records/explain.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { remarkText } from "./remark-text.ts";
import { visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";

/** Longer than any record: 65,535 octets of rdata, quoted and escaped. */
const MAX_CHARACTERS = 262_144;

export async function runExplain(
  words: readonly string[],
  options: { readonly json?: boolean },
  tools: Tools,
): Promise<ExitCode> {
  const text = words.length > 0 ? words.join(" ") : await tools.readStdin();
  if (text.length > MAX_CHARACTERS) throw new UsageError("that is longer than any record");
  const explanation = explainRecord(text.trimEnd());
  if (explanation === undefined) {
    throw new UsageError(
      `this is none of the records known here; SPF begins with v=spf1, DKIM with v=DKIM1 or p=, DMARC with v=DMARC1, MTA-STS with v=STSv1, TLS-RPT with v=TLSRPTv1, BIMI with v=BIMI1; TLSA looks like 3 1 1 abcd…, CAA like 0 issue "letsencrypt.org"`,
    );
  }
  const { terminal } = tools;
  if (options.json) {
    terminal.out(`${JSON.stringify(explanation, null, 2)}\n`);
  } else {
    const { style, columns } = terminal;
    const lines = explanation.terms.flatMap(({ text: term, meaning }) => [
      `  ${style.bold(shorten(visible(term), columns - 4))}`,
      wrap(visible(meaning), columns, "      "),
    ]);
    const remarks = explanation.remarks.map((remark) => remarkText(remark, terminal));
    terminal.out(
      `${[style.bold(explanation.title), "", ...lines, ...(remarks.length > 0 ? ["", ...remarks] : [])].join("\n")}\n`,
    );
  }
  if (explanation.remarks.some(({ severity }) => severity === "error")) return EXIT.errors;
  return explanation.remarks.some(({ severity }) => severity === "warning") ? EXIT.warnings : EXIT.ok;
}

function shorten(text: string, room: number): string {
  return text.length > room ? `${text.slice(0, room - 1)}…` : text;
}
