/** What to type to see a record by hand (dig, nslookup, host), for every record and every finding. */
import { parseReverseName } from "../standards/dns/address.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { RecordType } from "../standards/dns/record.ts";

export interface LookupCommands {
  readonly dig: string;
  readonly nslookup: string;
  readonly host: string;
}

/** `server` asks one name server instead of the system's resolver; `port` only where it is not 53. */
export function lookupCommands(
  name: DomainName,
  type: RecordType,
  at?: { readonly server: string; readonly port?: number },
): LookupCommands {
  const reverse = type === "PTR" ? parseReverseName(name) : undefined;
  const port = at?.port !== undefined && at.port !== 53 ? at.port : undefined;
  const digServer = at ? ` @${at.server}${port ? ` -p ${port}` : ""}` : "";
  const behind = at ? ` ${at.server}` : "";
  if (reverse?.ok) {
    const address = reverse.value.text;
    return {
      dig: `dig -x ${address}${digServer}`,
      nslookup: `nslookup ${port ? `-port=${port} ` : ""}${address}${behind}`,
      host: `host ${port ? `-p ${port} ` : ""}${address}${behind}`,
    };
  }
  return {
    dig: `dig ${type} ${shellWord(name)}${digServer}`,
    nslookup: `nslookup ${port ? `-port=${port} ` : ""}-type=${type} ${shellWord(name)}${behind}`,
    host: `host ${port ? `-p ${port} ` : ""}-t ${type} ${shellWord(name)}${behind}`,
  };
}

/** Quoted where a shell would read more than the word: wildcards, escapes, whatever a stranger's name holds. */
export function shellWord(name: string): string {
  return /^[A-Za-z0-9._:@-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}
