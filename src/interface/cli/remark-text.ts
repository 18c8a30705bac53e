/** One remark about a record's text, as a line for people. */
import type { Remark } from "../../standards/dns/remark.ts";
import { type Terminal, visible, wrap } from "./terminal.ts";

export function remarkText({ severity, message, reference }: Remark, { style, columns }: Terminal): string {
  const mark = { error: style.red("✗"), warning: style.yellow("!"), notice: style.blue("·") }[severity];
  return `${mark} ${wrap(`${visible(message)} (${reference})`, columns, "  ").trimStart()}`;
}
