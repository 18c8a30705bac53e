/** Settings of a milter that only marks mail, for tests; what a test is about is given. */

import type { MilterPolicy, MilterSettings } from "../../src/milter/settings.ts";
import { TAG_ONLY } from "../../src/milter/settings.ts";

export function milterSettings({
  policy,
  ...other
}: Partial<Omit<MilterSettings, "policy">> & {
  readonly policy?: Partial<MilterPolicy>;
} = {}): MilterSettings {
  return {
    authservId: "mx.example.org",
    trustedIds: [],
    outgoing: { authenticated: true, networks: [], daemons: [] },
    signing: {
      headerCanonicalization: "relaxed",
      bodyCanonicalization: "relaxed",
      expiresAfterSeconds: undefined,
      rules: [],
      logins: "any",
    },
    trustedSealers: [],
    sealAs: undefined,
    ...other,
    policy: { ...TAG_ONLY, ...policy },
  };
}
