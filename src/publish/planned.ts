/** What a plan is: values and steps, and what speaks against it. */
import type { DerivedRecord, Purpose } from "../records/derived-record.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { RecordType } from "../standards/dns/record.ts";
import type { Capabilities, RrsetChange, ZoneContent } from "./provider.ts";
import type { OwnedValue } from "./publish-store.ts";

/** One value, and what becomes of it. */
export interface PlannedValue {
  readonly action: "create" | "delete" | "keep";
  readonly name: DomainName;
  readonly type: RecordType;
  /** As zone files write it. */
  readonly value: string;
  readonly ttlSeconds: number;
  readonly isOurs: boolean;
  /** Why it is there, or why it goes; undefined for what is not ours and stays. */
  readonly reason?: string;
  readonly purpose?: Purpose;
}

export interface PlanStep {
  readonly changes: readonly RrsetChange[];
  /** How long to wait before this step, and why; 0 for the first. */
  readonly waitSeconds: number;
  readonly waitReason?: string;
}

export interface Plan {
  readonly zone: DomainName;
  readonly values: readonly PlannedValue[];
  readonly steps: readonly PlanStep[];
  /** What speaks against it; a plan with a guard that is not overridden is not carried out. */
  readonly guards: readonly Guard[];
  /** Records that this provider cannot hold, with the way out; they are left out. */
  readonly leftOut: readonly { readonly record: DerivedRecord; readonly because: string }[];
  /** Worth knowing: SPF terms that stay, lookups that are left. */
  readonly notes: readonly string[];
  readonly ownedBefore: readonly OwnedValue[];
  readonly ownedAfter: readonly OwnedValue[];
}

export interface PlanInput {
  readonly content: ZoneContent;
  /** The derived records of this zone that its owner creates. */
  readonly wanted: readonly DerivedRecord[];
  readonly owned: readonly OwnedValue[];
  readonly capabilities: Capabilities;
  /** min(SOA TTL, MINIMUM), RFC 2308 §5. */
  readonly negativeTtlSeconds: number;
  /** Whether a DS stands at the parent; undefined where nobody knows. */
  readonly isSigned?: boolean;
  /** Names outside of the zone that were looked up: whether they have an address. */
  readonly resolves?: ReadonlyMap<DomainName, boolean>;
  /** What SPF records of a former plan cost with all their includes, by name; where absent, the first level counts. */
  readonly spfLookups?: ReadonlyMap<DomainName, number>;
  /** Names of keys that still sign. */
  readonly signingKeys?: ReadonlySet<DomainName>;
}

export const GUARD_IDS = [
  "apex-ns-soa",
  "foreign-record",
  "alias-beside-others",
  "signing-key",
  "dmarc-jump",
  "mx-unresolvable",
  "tlsa-unsigned",
  "spf-lookups",
  "many-deletions",
] as const;
export type GuardId = (typeof GUARD_IDS)[number];

export interface Guard {
  readonly id: GuardId;
  /** What would happen, in one sentence. */
  readonly message: string;
  /** Whether `--allow <id>` may override it. */
  readonly canBeOverridden: boolean;
}
