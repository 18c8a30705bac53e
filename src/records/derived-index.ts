/** Derived records by name and by domain: a hoster's hundred thousand domains are asked about one by one. */
import type { DomainName } from "../standards/dns/name.ts";
import type { Derived, DerivedRecord } from "./derived-record.ts";

interface Index {
  readonly byName: ReadonlyMap<DomainName, readonly DerivedRecord[]>;
  readonly byDomain: ReadonlyMap<DomainName | undefined, readonly DerivedRecord[]>;
}

const indexes = new WeakMap<Derived, Index>();

function indexOf(derived: Derived): Index {
  let index = indexes.get(derived);
  if (index === undefined) {
    index = {
      byName: Map.groupBy(derived.records, ({ record }) => record.name),
      byDomain: Map.groupBy(derived.records, ({ domain }) => domain),
    };
    indexes.set(derived, index);
  }
  return index;
}

/** The derived records of an owner name. */
export function derivedAt(name: DomainName, derived: Derived): readonly DerivedRecord[] {
  return indexOf(derived).byName.get(name) ?? [];
}

/** The derived records whose owner names lie in a described domain. */
export function derivedOf(domain: DomainName, derived: Derived): readonly DerivedRecord[] {
  return indexOf(derived).byDomain.get(domain) ?? [];
}
