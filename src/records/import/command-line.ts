/** Commands quoted in a text: what dig, nslookup or host were asked (E8). */
import { parseAddress, reverseName } from "../../standards/dns/address.ts";
import { parseDomainName } from "../../standards/dns/name.ts";
import { parseRecordType } from "../../standards/dns/record.ts";
import type { Known, Question, Reading } from "./reading.ts";

type Tool = "dig" | "nslookup" | "host";

const COMMAND =
  /^\s*(?:[A-Za-z]:\\[^>\s]*>|[$#>%]+|`)?\s*[$#>%]*\s*(dig|nslookup|host)(?:\.exe)?\s+(\S.*?)`?\s*$/;

/** The command on this line; undefined where it is none, or asks for nothing that can be read. */
export function readCommand(line: string): Question | undefined {
  const match = COMMAND.exec(line.slice(0, 1000));
  return match === null ? undefined : readQuestion(match[1] as Tool, match[2]!);
}

export function readCommandLine(lines: readonly string[], at: number): Reading | undefined {
  const match = COMMAND.exec(lines[at]!.slice(0, 1000));
  if (match === null) return undefined;
  const asked = readQuestion(match[1] as Tool, match[2]!);
  return asked && { taken: 1, known: { asked, dig: undefined } satisfies Partial<Known> };
}

/** Options whose value is the next word. */
const WITH_VALUE = new Set(["-b", "-f", "-k", "-p", "-y", "-W", "-R", "-N"]);

export function readQuestion(tool: Tool, text: string): Question | undefined {
  const words = text.split(/\s+/).filter((word) => word !== "");
  let type: string | undefined;
  let target: string | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const option = /^-(?:q(?:uerytype|uery)?|type|querytype)=(\S+)$/i.exec(word)?.[1];
    if (option !== undefined) type = option;
    else if (word === "-t") type = words[++at];
    else if (word === "-x" && tool === "dig") target = words[++at];
    else if (WITH_VALUE.has(word) && tool !== "nslookup") at++;
    else if (/^[-+@]/.test(word)) continue;
    else if (tool === "dig" && parseRecordType(word) !== undefined) type = word;
    else if (/^(?:IN|ANY|AXFR)$/i.test(word)) continue;
    else target ??= word;
  }
  if (target === undefined) return undefined;
  const address = parseAddress(target);
  const name = parseDomainName(target);
  if (address.ok) return { name: reverseName(address.value), type: "PTR" };
  // A word alone is more likely prose ("host name") than a top-level domain.
  if (!name.ok || !target.includes(".")) return undefined;
  return { name: name.value, type: parseRecordType(type ?? "A") ?? "A" };
}
