import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { elementAt, elementsNamed, escapeXml, parseXml, textAt } from "./xml-element.ts";

describe("XML", () => {
  it.each<[source: string, text: string, reason: string]>([
    ["<a>text</a>", "text", "an element"],
    [
      '<?xml version="1.0"?>\n<a xmlns="urn:x">text</a>\n',
      "text",
      "a declaration, an attribute, space around",
    ],
    ["<n:a>text</n:a>", "text", "a prefix"],
    ["<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</a>", "<&>\"'AB", "entities that all have"],
    ["<a><![CDATA[<b>&amp;]]></a>", "<b>&amp;", "CDATA"],
    ["<a>1<!-- <b> -->2</a>", "12", "a comment"],
    ["<a/>", "", "an empty element"],
    ["<a></a>", "", "nothing inside"],
  ])("%s", (source, text) => {
    const element = parseXml(source);
    expect(element?.name).toBe("a");
    expect(element?.text).toBe(text);
  });

  it.each<[source: string, reason: string]>([
    ["", "nothing"],
    ["text", "no element"],
    ["<a>", "not closed"],
    ["<a><b></a></b>", "closed across"],
    ["<a/><b/>", "two of them"],
    ["</a>", "never opened"],
    ["<a>&unknown;</a>", "an entity that nobody knows"],
    ["<a>&toString;</a>", "an entity that every object has"],
    ["<a>&#x110000;</a>", "a character that does not exist"],
    ["<a>& b</a>", "a lone ampersand"],
    ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "a document type"],
    ["<a".repeat(3), "a tag without an end"],
    [`${"<a>".repeat(30)}${"</a>".repeat(30)}`, "too deep"],
    [`<a>${"<b/>".repeat(200_001)}</a>`, "too many"],
    ['{"json": true}', "JSON"],
  ])("%.40s is refused", (source) => {
    expect(parseXml(source)).toBeUndefined();
  });

  it("finds what is inside", () => {
    const element = parseXml("<a><b><c>1</c><c>2</c></b><c>3</c></a>")!;
    expect(textAt(element, "b", "c")).toBe("1");
    expect(textAt(element, "b", "d", "e")).toBeUndefined();
    expect(elementAt(element, "b")?.children).toHaveLength(2);
    expect(elementsNamed(element, "c").map(({ text }) => text)).toEqual(["1", "2", "3"]);
  });

  it("reads what it wrote, and throws on nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(parseXml(`<a>${escapeXml(text)}</a>`)?.text).toBe(text);
        parseXml(text);
        parseXml(`<a>${text}`);
      }),
    );
  });

  it("takes no long time over what is made to take long", () => {
    const started = performance.now();
    for (const piece of ["<a ", "<!--", "<![CDATA[", "<?", "&#1;", "<a><"]) parseXml(piece.repeat(50_000));
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
