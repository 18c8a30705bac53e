/** A key's record in every shape that tutorials, forms and signing programs have for it. */
import { type DkimKeyShape, formatDkimKey, REVOKED, recordForKey } from "../standards/dkim/key-record.ts";
import { encodeDkimKey } from "../standards/dkim/public-key.ts";
import { dkimOwner } from "../standards/dkim/selector.ts";
import { absolute, type DomainName } from "../standards/dns/name.ts";
import { renderTxt } from "../standards/dns/txt-rendering.ts";
import { type DkimKey, isTakenBack } from "./key.ts";
import type { KeyName } from "./key-name.ts";

export const keyOwner = ({ dkimSelector, signingDomain }: KeyName): DomainName =>
  dkimOwner(dkimSelector, signingDomain);

export function keyRecordText({ publicKey }: DkimKey, shape: DkimKeyShape = "explicit"): string {
  return formatDkimKey(recordForKey(publicKey), shape);
}

/** An empty p= (RFC 6376 §3.6.1). */
export const REVOKED_TEXT = formatDkimKey(REVOKED);

/** What is to stand in DNS: of a key that was taken back, that it is (RFC 6376 §3.6.1). */
export const keyTextInDns = (key: DkimKey): string => (isTakenBack(key) ? REVOKED_TEXT : keyRecordText(key));

const TTL_SECONDS = 3600;

export interface KeyShape {
  readonly name: string;
  readonly text: string;
}

/** R43, R47 to R49, R58. */
export function keyRecordShapes(key: DkimKey): readonly KeyShape[] {
  const owner = keyOwner(key);
  const text = keyTextInDns(key);
  const line = (data: string) => `${absolute(owner)} ${TTL_SECONDS} IN TXT ${data}`;
  const relative = `${key.dkimSelector}._domainkey`;
  const inForms = [
    { name: "in a form", text: `Name: ${relative}\nType: TXT\nValue: ${text}` },
    { name: "in a form that wants the whole name", text: `Name: ${owner}\nType: TXT\nValue: ${text}` },
  ];
  // Nobody is to find the key again among what signing programs print.
  if (isTakenBack(key))
    return [
      { name: "zone file", text: line(renderTxt(text, "strings")) },
      { name: "one quoted string", text: renderTxt(text, "quoted") },
      { name: "value alone", text },
      ...inForms,
    ];
  return [
    { name: "zone file", text: line(renderTxt(text, "strings")) },
    { name: "zone file, several lines (BIND)", text: line(renderTxt(text, "bind")) },
    { name: "as amavisd showkeys prints it", text: amavisdText(key, owner) },
    { name: "one quoted string, for forms that cut it themselves", text: renderTxt(text, "quoted") },
    { name: "strings of at most 255 octets", text: renderTxt(text, "strings") },
    { name: "value alone", text },
    { name: "value alone, without k=rsa", text: keyRecordText(key, "short") },
    { name: "value alone, with h=sha256, as dkimpy writes .dns files", text: dkimpyText(key) },
    ...inForms,
  ];
}

/** Lines of 64 characters, whatever the strings of DNS could hold. */
function amavisdText(key: DkimKey, owner: DomainName): string {
  const lines = [
    keyRecordText(key, "short").replace(/p=.*/, "p="),
    ...(encodeDkimKey(key.publicKey).match(/.{1,64}/g) ?? []),
  ];
  return `${absolute(owner)}\t${TTL_SECONDS} TXT (\n${lines.map((each) => `  "${each}"`).join("\n")})`;
}

const dkimpyText = ({ publicKey }: DkimKey): string =>
  formatDkimKey({ ...recordForKey(publicKey), hashes: ["sha256"] });
