/** What can be known of a DNS host: how its form asks, and what it stores. */
import type { RecordType } from "../standards/dns/record.ts";
import type { TxtStyle } from "../standards/dns/txt-rendering.ts";
import type { NameStyle } from "./form.ts";

/**
 * `documented` read in the host's documentation · `declared` software that drives the host's API says so ·
 * `known` general knowledge, not looked up.
 */
export type Certainty = "documented" | "declared" | "known";

export interface FactSource {
  readonly url: string;
  readonly certainty: Certainty;
}

/** How a host's form asks for a record. What is absent is not known; then the usual way is shown. */
export interface HostForm {
  readonly sources: readonly FactSource[];
  readonly nameStyle?: NameStyle;
  readonly txtStyle?: TxtStyle;
  /** Whether the host cuts a long TXT value into strings of 255 octets itself. */
  readonly cutsLongTxt?: boolean;
  /** MX preference and SRV priority in a field of their own; else the value begins with them. */
  readonly priority?: "field" | "value";
  /** `wanted`: a target without its final dot is read as relative to the zone. */
  readonly finalDot?: "wanted" | "refused";
  /** `value` weight, port and target in the value · `fields` one each · `service` service and protocol apart too. */
  readonly srv?: "value" | "fields" | "service";
  readonly caa?: "value" | "fields";
  readonly tlsa?: "value" | "fields";
  readonly labels?: Readonly<Partial<Record<FieldKey, string>>>;
  /** The value's label where it differs by type: "Mail server". */
  readonly valueLabels?: Readonly<Partial<Record<RecordType, string>>>;
  readonly minTtlSeconds?: number;
}

/** What a host stores: `false` is "no", absent is "not known". */
export interface HostStore {
  readonly sources: readonly FactSource[];
  readonly types?: Readonly<
    Partial<Record<"TLSA" | "CAA" | "SRV" | "HTTPS" | "SVCB" | "PTR" | "NS", boolean>>
  >;
  /** MX with the exchange "." */
  readonly nullMx?: boolean;
  /** SRV with the target "." */
  readonly nullSrv?: boolean;
  /** The longest TXT value, in octets. */
  readonly maxTxtOctets?: number;
  readonly dnssec?: boolean;
  /** What stands in for a CNAME at the apex. */
  readonly apexAlias?: "ALIAS record" | "flattened CNAME" | "none";
}

export interface DnsHost {
  readonly id: string;
  readonly name: string;
  /** Names of its name servers; `*` stands for one character or more within a label. */
  readonly nameServers: readonly string[];
  /** What to know of the recognition: who else uses these name servers. */
  readonly note?: string;
  readonly form?: HostForm;
  readonly store?: HostStore;
}

export type FieldKey =
  | "type"
  | "name"
  | "service"
  | "protocol"
  | "priority"
  | "weight"
  | "port"
  | "flags"
  | "tag"
  | "usage"
  | "selector"
  | "matchingType"
  | "value"
  | "ttl";
