/** The ARC suite of ValiMail: validation. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mailText } from "../../../test/support/mail-text.ts";
import { tableResolver, txt } from "../../../test/support/table-resolver.ts";
import { BodyHasher } from "../dkim/body-hash.ts";
import { DkimKeyRing } from "../dkim/key-lookup.ts";
import { indexFields } from "../dkim/signed-fields.ts";
import { ArcValidator } from "./validate.ts";

const SUITE = "../shared/corpora/arc/arc-validation.json";

interface Scenario {
  readonly description: string;
  readonly tests: Readonly<
    Record<string, { readonly message: string; readonly cv: string; readonly description: string }>
  >;
  readonly "txt-records": Readonly<Record<string, string>>;
}

/** The suite and the RFC say different things; the RFC is followed. */
const DISAGREED: Readonly<Record<string, string>> = {
  ams_fields_h_empty: "h= MUST NOT be empty (RFC 6376 §3.5); the suite passes it",
  ams_fields_c_na: "without c= both ways are simple (RFC 6376 §3.5); the suite takes them for relaxed",
};

const isThere = existsSync(SUITE);
if (!isThere) console.warn(`${SUITE} is not there: the ARC suite is not run`);
const scenarios: readonly Scenario[] = isThere ? JSON.parse(readFileSync(SUITE, "utf8")).scenarios : [];

describe.skipIf(!isThere)("the ARC suite", () => {
  it("has all its cases", () => {
    expect(scenarios.flatMap(({ tests }) => Object.keys(tests))).toHaveLength(171);
  });

  describe.each(scenarios)("$description", (scenario) => {
    it.each(Object.entries(scenario.tests))("%s", async (name, { message, cv }) => {
      const resolver = tableResolver(
        Object.fromEntries(
          Object.entries(scenario["txt-records"]).map(([name, text]) => [
            name,
            [txt(text.replace(/\n/g, ""))],
          ]),
        ),
      );
      const { fields, body } = mailText(message);
      const hasher = new BodyHasher();
      const validator = new ArcValidator(indexFields(fields), hasher, { resolver, keys: new DkimKeyRing() });
      hasher.update(body);
      hasher.finish();
      const { result, problem } = await validator.finish();
      // An empty cv stands for a chain that says of itself that it failed.
      const expected = name in DISAGREED || cv === "" ? "fail" : cv.toLowerCase();
      expect([result, problem]).toEqual([expected, expected === "fail" ? expect.any(String) : undefined]);
    });
  });
});
