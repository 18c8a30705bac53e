/** Read by HashiCorp's own HCL parser, and held to the resources of the hashicorp/dns provider. */
import { parseToObject } from "hcl2-parser";
import { describe, expect, it } from "vitest";
import {
  EXPORTED,
  exported,
  exportedLines,
  exportLine,
  nameIn,
  txt,
} from "../../../test/support/exported.ts";
import { domainName } from "../../standards/dns/name.ts";
import type { Rdata } from "../../standards/dns/record.ts";

type Block = Readonly<Record<string, unknown>>;

/** The parser hands back template text as it stands: what was doubled against it is one again, so `${` is an opening no more. */
function resources(
  text: string,
): readonly { readonly type: string; readonly label: string; readonly block: Block }[] {
  const [content, fault] = parseToObject(text) as [Block | null, unknown];
  expect(fault).toBeNull();
  const { terraform, resource, ...others } = content as {
    terraform: Block[];
    resource: Record<string, Record<string, Block[]>>;
  };
  expect(others).toEqual({});
  expect(terraform).toEqual([{ required_providers: [{ dns: { source: "hashicorp/dns" } }] }]);
  return Object.entries(resource).flatMap(([type, byLabel]) =>
    Object.entries(byLabel).map(([label, blocks]) => {
      expect(blocks, `${type} ${label} is declared once`).toHaveLength(1);
      return { type, label, block: blocks[0]! };
    }),
  );
}

const target = (name: unknown) => {
  expect(name).toMatch(/\.$/);
  return domainName(name as string);
};

function rdataOf(type: string, { zone: _zone, name: _name, ttl: _ttl, ...own }: Block): readonly Rdata[] {
  const only = <K extends string>(key: K): unknown => {
    expect(Object.keys(own)).toEqual([key]);
    return own[key];
  };
  switch (type) {
    case "dns_a_record_set":
      return (only("addresses") as string[]).map((address) => ({ type: "A", address }));
    case "dns_aaaa_record_set":
      return (only("addresses") as string[]).map((address) => ({ type: "AAAA", address }));
    case "dns_txt_record_set":
      return (only("txt") as string[]).map(txt);
    case "dns_cname_record":
      return [{ type: "CNAME", target: target(only("cname")) }];
    case "dns_mx_record_set":
      return (only("mx") as { preference: number; exchange: string }[]).map(
        ({ preference, exchange, ...others }) => {
          expect(others).toEqual({});
          return { type: "MX", preference, exchange: target(exchange) };
        },
      );
    case "dns_srv_record_set":
      return (only("srv") as { priority: number; weight: number; port: number; target: string }[]).map(
        ({ priority, weight, port, target: name, ...others }) => {
          expect(others).toEqual({});
          return { type: "SRV", priority, weight, port, target: target(name) };
        },
      );
    default:
      throw new TypeError(`the provider has no resource ${type}`);
  }
}

const HAS_NO_RESOURCE = / (CAA|TLSA) /;

it.each(EXPORTED)("$name", (each) => {
  const text = exported(each, "terraform");
  const lines = resources(text).flatMap(({ type, label, block }) => {
    expect(label).toMatch(/^[A-Za-z_][A-Za-z0-9_-]*$/);
    const { zone, name = "", ttl } = block as { zone: string; name?: string; ttl: number };
    return rdataOf(type, block).map((data) => exportLine(nameIn(zone, name), ttl, data));
  });
  const wanted = exportedLines(each);
  expect(lines.sort()).toEqual(wanted.filter((line) => !HAS_NO_RESOURCE.test(line)));
  const byHand = text.split("\n").filter((line) => / IN (CAA|TLSA) /.test(line));
  expect(byHand).toHaveLength(wanted.filter((line) => HAS_NO_RESOURCE.test(line)).length);
});

describe("texts", () => {
  const text = exported(EXPORTED.at(-1)!, "terraform");

  it("open no template", () => {
    expect(text).toContain('"$${interpolated} %%{directive} ');
    expect(text).not.toMatch(/(?<![$])\$\{/);
    expect(text).not.toMatch(/(?<![%])%\{/);
  });

  it("the parser would have noticed", () => {
    const [content, fault] = parseToObject('x = "a');
    expect(content === null && fault !== null).toBe(true);
  });
});
