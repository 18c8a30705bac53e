/**
 * XML as plain answers of APIs have it: elements and text, read within bounds. Attributes, comments and processing
 * instructions are passed over; document types, and with them entities of one's own, are refused.
 */
export interface XmlElement {
  /** Without the prefix of a namespace. */
  readonly name: string;
  /** Of the element itself, without that of its children. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const MAX_DEPTH = 20;
const MAX_ELEMENTS = 200_000;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);
/** A comment, an instruction, CDATA, or a tag with what stands inside of it. */
const MARKUP =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([A-Za-z_][\w:.-]*)([^<>]*?)(\/?)>/y;

interface Draft {
  readonly name: string;
  text: string;
  readonly children: Draft[];
}

/** Undefined for anything that is not one whole element. */
export function parseXml(source: string): XmlElement | undefined {
  const root: Draft = { name: "", text: "", children: [] };
  const open = [root];
  let count = 0;
  let at = 0;
  while (at < source.length) {
    const next = source.indexOf("<", at);
    const text = decodeText(source.slice(at, next < 0 ? source.length : next));
    if (text === undefined) return undefined;
    open.at(-1)!.text += text;
    if (next < 0) break;
    MARKUP.lastIndex = next;
    const found = MARKUP.exec(source);
    if (found === null) return undefined;
    at = MARKUP.lastIndex;
    const [, characters, closing, qualified, , alone] = found;
    if (characters !== undefined) open.at(-1)!.text += characters;
    if (qualified === undefined) continue;
    const name = qualified.slice(qualified.indexOf(":") + 1);
    if (closing === "/") {
      if (open.length === 1 || open.pop()!.name !== name) return undefined;
      continue;
    }
    if (++count > MAX_ELEMENTS || open.length > MAX_DEPTH) return undefined;
    const element: Draft = { name, text: "", children: [] };
    open.at(-1)!.children.push(element);
    if (alone !== "/") open.push(element);
  }
  const [only] = root.children;
  return open.length === 1 && root.children.length === 1 && root.text.trim() === "" ? only : undefined;
}

function decodeText(text: string): string | undefined {
  let isWhole = true;
  const decoded = text.replace(
    /&(?:#(\d{1,7})|#x([\da-fA-F]{1,6})|(\w{1,8}));|&/g,
    (_all, decimal, hex, name) => {
      const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      const char =
        name === undefined && code <= 0x10ffff ? String.fromCodePoint(code) : ENTITIES.get(name as string);
      if (char === undefined) isWhole = false;
      return char ?? "";
    },
  );
  return isWhole ? decoded : undefined;
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** The text of the element that is reached by these names, each a child of the one before; undefined where there is none. */
export function textAt(element: XmlElement, ...path: readonly string[]): string | undefined {
  return elementAt(element, ...path)?.text;
}

export function elementAt(element: XmlElement, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>(
    (inner, name) => inner?.children.find((child) => child.name === name),
    element,
  );
}

/** All elements of this name, however deep. */
export function elementsNamed(element: XmlElement, name: string): XmlElement[] {
  return element.children.flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...elementsNamed(child, name),
  ]);
}
