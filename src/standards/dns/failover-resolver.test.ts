import { describe, expect, it } from "vitest";
import { createFailoverResolver } from "./failover-resolver.ts";
import { domainName } from "./name.ts";
import type { Answer, Resolver, UnknownCause } from "./resolver.ts";

describe("createFailoverResolver", () => {
  const fixed = (answer: Answer): Resolver => ({ lookup: async () => answer as Answer<never> });
  const failed = (cause: UnknownCause) => fixed({ status: "unknown", cause, detail: cause });
  const absent = fixed({ status: "absent", kind: "nodata", aliases: [] });
  const rows: [string, Resolver[], object][] = [
    ["the next after a timeout", [failed("timeout"), absent], { status: "absent" }],
    ["none after an absence", [absent, failed("timeout")], { status: "absent" }],
    ["none after a failed validation", [failed("bogus"), absent], { status: "unknown", cause: "bogus" }],
    ["all, and tells the first failure", [failed("refused"), failed("timeout")], { cause: "refused" }],
    ["nobody", [], { status: "unknown", cause: "network" }],
  ];
  it.each(rows)("asks %s", async (_, resolvers, expected) => {
    expect(await createFailoverResolver(resolvers).lookup(domainName("www.example.org"), "A")).toMatchObject(
      expected,
    );
  });
});
