/** Tables: "MX | @ | 10 | mail.example.org", Markdown, columns between tabs, and CSV where its header says so. */
import { type DomainName, parseDomainName } from "../../standards/dns/name.ts";
import { fieldOfLabel } from "./form-block.ts";
import { readFields, readTypeCell } from "./form-fields.ts";
import type { Column, Known, Reading } from "./reading.ts";

/** A row whose cells stand on lines of their own, as copied from a page. */
const MAX_ROW_LINES = 8;
const MAX_CELLS = 32;

export function readTableRow(lines: readonly string[], at: number, known: Known): Reading | undefined {
  const heading = readHeading(lines[at]!);
  if (heading !== undefined) return { taken: 1, known: { zone: heading.zone, columns: undefined } };
  const { cells, taken } = cellsAt(lines, at, known.columns);
  if (cells === undefined) return undefined;
  if (cells.every((cell) => /^:?-{2,}:?$/.test(cell))) return { taken };
  const columns = columnsOf(cells);
  if (columns !== undefined) return { taken, known: { columns } };
  return known.columns === undefined
    ? readBareRow(cells, at, taken, known)
    : (readRow(cells, known.columns, at, taken, known) ?? readBareRow(cells, at, taken, known));
}

/** The headings that `zonepost records` puts above its forms and tables. */
function readHeading(line: string): { readonly zone: DomainName | undefined } | undefined {
  if (/^(?:## )?For others to create: /.test(line)) return { zone: undefined };
  const [, name] = /^(?:In the form of |## )(\S+\.\S+?)(?: \(.*\))?\s*$/.exec(line) ?? [];
  const zone = name === undefined ? undefined : parseDomainName(name);
  return zone?.ok ? { zone: zone.value } : undefined;
}

function cellsAt(lines: readonly string[], at: number, columns: readonly Column[] | undefined) {
  const line = lines[at]!;
  if (line.includes("|")) {
    let row = line.trim();
    let taken = 1;
    const wanted = columns?.length ?? 0;
    while (
      row.startsWith("|") &&
      cellsOf(row).length < wanted &&
      taken < MAX_ROW_LINES &&
      /\|\s*$/.test(lines[at + taken] ?? "") &&
      !/^\s*\|/.test(lines[at + taken]!)
    ) {
      row += ` ${lines[at + taken]!.trim()}`;
      taken++;
    }
    const cells = cellsOf(row);
    return { cells: cells.length >= 2 && cells.length <= MAX_CELLS ? cells : undefined, taken };
  }
  if (line.includes("\t")) {
    const cells = line
      .trim()
      .split(/\t+/, MAX_CELLS)
      .map((cell) => cell.trim());
    return { cells: cells.length >= 2 ? cells : undefined, taken: 1 };
  }
  if (line.includes(",")) {
    const cells = csvCells(line);
    const isCsv = columns !== undefined || columnsOf(cells) !== undefined;
    return { cells: isCsv && cells.length >= 3 ? cells : undefined, taken: 1 };
  }
  return { cells: undefined, taken: 1 };
}

/** Cells between bars; Markdown's outer bars, `\|` and code spans are read away. */
function cellsOf(row: string): string[] {
  const inner = row.replace(/^\s*\|/, "").replace(/(?<!\\)\|\s*$/, "");
  return inner
    .split(/(?<!\\)\|/, MAX_CELLS + 1)
    .map((cell) => cell.replaceAll("\\|", "|").trim())
    .map((cell) => /^(`+)\s?([\s\S]*?)\s?\1$/.exec(cell)?.[2] ?? cell);
}

/** RFC 4180, one line; what guards a spreadsheet against formulas is taken off. */
function csvCells(line: string): string[] {
  const cells: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/y;
  const text = line.replace(/\r$/, "");
  while (cell.lastIndex <= text.length && cells.length <= MAX_CELLS) {
    const from = cell.lastIndex;
    const match = cell.exec(text);
    if (match === null) break;
    const value = match[1]?.replaceAll('""', '"') ?? match[2]!;
    cells.push(value.replace(/^'(?=[=+\-@\t])/, ""));
    if (from === cell.lastIndex || !match[0].endsWith(",")) break;
  }
  return cells;
}

/** Undefined where this is no header. */
function columnsOf(cells: readonly string[]): Column[] | undefined {
  const columns = cells.map((cell): Column => {
    if (/^(?:zone|domain)$/i.test(cell)) return "zone";
    const field = fieldOfLabel(cell);
    return field === undefined || field === "weight" || field === "port" ? "other" : field;
  });
  const wanted: readonly Column[] = ["type", "name", "value"];
  return wanted.every((column) => columns.includes(column)) ? columns : undefined;
}

function readRow(
  cells: readonly string[],
  columns: readonly Column[],
  at: number,
  taken: number,
  known: Known,
): Reading | undefined {
  const cell = (column: Column) => {
    const place = columns.indexOf(column);
    return place < 0 ? undefined : cells[place];
  };
  const type = readTypeCell(cell("type") ?? "");
  const value = cell("value");
  if (type === undefined || value === undefined) return undefined;
  const own = columns.includes("zone") ? zoneOf(cell("zone")) : known.zone;
  return readFields(
    { type, name: cell("name") ?? "", priority: cell("priority"), value, ttl: cell("ttl") },
    own,
    at,
    taken,
    "table",
  );
}

function zoneOf(text: string | undefined): DomainName | undefined {
  const name = parseDomainName(text ?? "");
  return name.ok ? name.value : undefined;
}

/** Without a header: type, name, perhaps a number, value, perhaps a TTL. */
function readBareRow(cells: readonly string[], at: number, taken: number, known: Known): Reading | undefined {
  const place = cells.slice(0, 2).findIndex((cell) => readTypeCell(cell) !== undefined);
  const type = place < 0 ? undefined : readTypeCell(cells[place]!);
  if (type === undefined) return undefined;
  const [name, ...rest] = cells.filter((_, index) => index !== place);
  if (name === undefined || rest.length === 0) return undefined;
  const hasPriority = (type === "MX" || type === "SRV") && rest.length > 1 && /^\d+$/.test(rest[0]!);
  const [value, ttl] = hasPriority ? rest.slice(1) : rest;
  if (value === undefined || value === "") return undefined;
  const fields = { type, name, priority: hasPriority ? rest[0] : undefined, value, ttl };
  const reading = readFields(fields, known.zone, at, taken, "table");
  // A table of something else may well hold a word that is a type.
  return reading.records === undefined && reading.unplaced === undefined && !/\d/.test(value)
    ? undefined
    : reading;
}
