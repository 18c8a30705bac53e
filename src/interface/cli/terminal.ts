/** What the commands write to, and how: streams, colours, widths. Everything is passed in, so tests see it all. */

export interface Terminal {
  /** Results: what a pipe wants. */
  readonly out: (text: string) => void;
  /** Progress, hints and errors. */
  readonly err: (text: string) => void;
  readonly isInteractive: boolean;
  /** Whether results go to a screen, not into a pipe or a file. */
  readonly outIsScreen: boolean;
  readonly style: Style;
  /** Columns to write in; 100 where nobody looks. */
  readonly columns: number;
}

export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly blue: (text: string) => string;
  readonly magenta: (text: string) => string;
}

export function createStyle(colours: boolean): Style {
  const paint = (on: number, off: number) => (text: string) =>
    colours && text !== "" ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    blue: paint(34, 39),
    magenta: paint(35, 39),
  };
}

/** no-color.org: NO_COLOR set to anything but nothing turns colours off; FORCE_COLOR turns them on in a pipe. */
export function wantsColours(
  environment: Readonly<Record<string, string | undefined>>,
  isInteractive: boolean,
): boolean {
  if (environment["NO_COLOR"]) return false;
  if (environment["FORCE_COLOR"]) return environment["FORCE_COLOR"] !== "0";
  return isInteractive && environment["TERM"] !== "dumb";
}

/** Breaks at blanks so that no line is longer than `width` where a break is possible; every line indented. */
export function wrap(text: string, width: number, indent = ""): string {
  return text
    .split("\n")
    .flatMap((paragraph) => wrapLine(paragraph, Math.max(20, width - indent.length)))
    .map((line) => indent + line)
    .join("\n");
}

function wrapLine(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}

/** Control characters made visible: published text is a stranger's, and must not steer the terminal. */
export function visible(text: string): string {
  return text.replace(/(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Rows under headings, each column as wide as its widest cell; the last one may run on. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  style: Style,
): string {
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...rows.map((row) => (row[at] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (at === cells.length - 1 ? cell : cell.padEnd(widths[at]!)))
      .join("  ")
      .trimEnd();
  return [style.dim(line(headings)), ...rows.map(line)].join("\n");
}
