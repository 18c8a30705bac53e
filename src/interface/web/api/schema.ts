/** Written by `npm run docs` from test/golden/openapi.json; edit the routes instead. */

export interface paths {
"/api/login": {
/** Begins a session with a name and a password. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
name: string;
password: string;
};
};
};
responses: {
200: {
content: {
"application/json": {
status: "in" | "second-factor";
csrfToken: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
/** What ways there are to come in. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
hasPasskeys: boolean;
provider: {
title: string;
} | null;
isSetupOpen: boolean;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/login/code": {
/** Gives the code of an authenticator app. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
code: string;
};
};
};
responses: {
200: {
content: {
"application/json": {
status: "in" | "second-factor";
csrfToken: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/logout": {
/** Ends the session. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
204: { content?: never };
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/session": {
/** Who is logged in here, and the token that changes have to carry. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
user: {
id: string;
name: string;
role: string;
};
isComplete: boolean;
csrfToken: string;
descriptionFile: string | null;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/setup": {
/** Whether the first administrator is still to be made. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
isOpen: boolean;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
/** Makes the first administrator, with the secret of the one-time link. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
secret: string;
name: string;
password: string;
};
};
};
responses: {
201: {
content: {
"application/json": {
id: string;
name: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/account/passkeys/offer": {
/** A challenge for a new passkey. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
password?: string;
};
};
};
responses: {
200: {
content: {
"application/json": {
challenge: string;
rpId: string;
userVerification: "required";
userId: string;
userName: string;
exclude: (string)[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/account/passkeys": {
/** Keeps a new passkey. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
label: string;
answer: Record<string, unknown>;
};
};
};
responses: {
201: {
content: {
"application/json": {
id: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/account/passkeys/{id}": {
/** Forgets a passkey. */
delete: {
parameters: {
query?: never;
path: {
id: string;
};
};
requestBody?: never;
responses: {
204: { content?: never };
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/login/passkey/offer": {
/** A challenge to log in with a passkey. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
challenge: string;
rpId: string;
userVerification: "required";
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/login/passkey": {
/** Begins a session with a passkey. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
answer: Record<string, unknown>;
};
};
};
responses: {
200: {
content: {
"application/json": {
status: "in";
csrfToken: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/login/provider": {
/** Where to go to log in at the identity provider. */
post: {
parameters: {
query?: {
to?: string;
again?: "true";
};
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
url: string;
title: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/login/provider/return": {
/** Where the identity provider sends the browser back to. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/account": {
/** The account: ways to come in, sessions, tokens. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
name: string;
role: string;
hasPassword: boolean;
hasTotp: boolean;
passkeys: ({
id: string;
label: string;
createdAt: string;
})[];
sessions: ({
createdAt: string;
lastSeenAt: string;
address: string;
userAgent: string;
isThis: boolean;
})[];
tokens: ({
id: string;
label: string;
scopes: (string)[];
createdAt: string;
expiresAt: string | null;
lastUsedAt: string | null;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/account/password": {
/** Changes the password, and ends all other sessions. */
put: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
password?: string;
newPassword: string;
};
};
};
responses: {
204: { content?: never };
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/account/sessions/end": {
/** Ends all other sessions. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
204: { content?: never };
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/account/totp/offer": {
/** A new secret for an authenticator app; it counts once a code has come back. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
password?: string;
};
};
};
responses: {
200: {
content: {
"application/json": {
uri: string;
pending: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/account/totp": {
/** Turns codes on, with the first code. */
put: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
pending: string;
code: string;
};
};
};
responses: {
204: { content?: never };
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/account/totp/remove": {
/** Turns codes off. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
password?: string;
};
};
};
responses: {
204: { content?: never };
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/account/tokens": {
/** Makes a token; its secret is shown this once. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
label: string;
scopes: ("read" | "publish" | "keys" | "domains" | "admin")[];
expiresAt?: string;
password?: string;
};
};
};
responses: {
201: {
content: {
"application/json": {
id: string;
secret: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/account/tokens/{id}": {
/** Takes a token back. */
delete: {
parameters: {
query?: never;
path: {
id: string;
};
};
requestBody?: never;
responses: {
204: { content?: never };
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/overview": {
/** How many domains there are, by the worst of what is known of them; and what has changed last. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
domains: number;
bySeverity: Partial<Record<"error" | "unknown" | "warning" | "notice" | "ok" | "unchecked", number>>;
events: ({
id: number;
domain: string;
at: string;
kind: "appeared" | "changed" | "gone" | "acknowledged";
code: string;
owner: string;
severity: "error" | "unknown" | "warning" | "notice" | "ok";
observed: string;
})[];
jobsRunning: number;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/history": {
/** What has changed, the newest first. */
get: {
parameters: {
query?: {
before?: string;
limit?: number;
};
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
events: ({
id: number;
domain: string;
at: string;
kind: "appeared" | "changed" | "gone" | "acknowledged";
code: string;
owner: string;
severity: "error" | "unknown" | "warning" | "notice" | "ok";
observed: string;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/servers": {
/** What all domains share: the description without its domains. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
content: Record<string, unknown>;
revision: number;
changedAt: string;
file: string | null;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
/** Changes what all domains share. All are looked at again, one after the other. */
put: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
content: Record<string, unknown>;
revision: number;
};
};
};
responses: {
200: {
content: {
"application/json": {
revision: number;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/audit": {
/** Who did what, the newest first. */
get: {
parameters: {
query?: {
before?: string;
target?: string;
actor?: string;
action?: string;
limit?: number;
};
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
entries: ({
id: string;
at: string;
actor: string;
address: string | null;
action: string;
target: string;
details: Record<string, unknown>;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains": {
/** The domains and their states, the worst first. */
get: {
parameters: {
query?: {
search?: string;
worst?: "error" | "unknown" | "warning" | "notice" | "ok";
after?: string;
limit?: number;
};
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
domains: ({
domain: string;
ownerId: string | null;
checkedAt: string | null;
nextCheckAt: string;
worst: "error" | "unknown" | "warning" | "notice" | "ok" | null;
counts: Partial<Record<"error" | "unknown" | "warning" | "notice" | "ok", number>>;
})[];
next: string | null;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
/** Takes a domain in. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
domain: string;
content?: Record<string, unknown>;
ownerId?: string;
};
};
};
responses: {
201: {
content: {
"application/json": {
domain: string;
revision: number;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}": {
/** A domain as it is described. */
get: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
domain: string;
ownerId: string | null;
content: Record<string, unknown>;
revision: number;
changedAt: string;
state: {
domain: string;
ownerId: string | null;
checkedAt: string | null;
nextCheckAt: string;
worst: "error" | "unknown" | "warning" | "notice" | "ok" | null;
counts: Partial<Record<"error" | "unknown" | "warning" | "notice" | "ok", number>>;
} | null;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
/** Describes a domain anew, on the revision that was read. */
put: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody: {
content: {
"application/json": {
content: Record<string, unknown>;
revision: number;
};
};
};
responses: {
200: {
content: {
"application/json": {
revision: number;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
/** Forgets a domain. What is published stays as it is. */
delete: {
parameters: {
query: {
revision: number;
};
path: {
domain: string;
};
};
requestBody?: never;
responses: {
204: { content?: never };
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/owner": {
/** Gives a domain to another owner, or to administrators alone. */
put: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody: {
content: {
"application/json": {
ownerId: string | null;
revision: number;
};
};
};
responses: {
200: {
content: {
"application/json": {
revision: number;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/import": {
/** Reads a description as text, and says what taking it in would change. Nothing is changed. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
text: string;
};
};
};
responses: {
200: {
content: {
"application/json": {
common: Record<string, unknown>;
ignored: (string)[];
domains: ({
domain: string;
state: "new" | "changed" | "same";
revision: number;
content: Record<string, unknown>;
})[];
left: number;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/records": {
/** The records that should exist, each with its reason and as the fields of a form. */
get: {
parameters: {
query?: {
host?: string;
};
path: {
domain: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
records: ({
zone: string | null;
owner: string;
type: string;
ttlSeconds: number;
value: string;
zoneText: string;
form: {
type: string;
name: string;
priority?: number;
value: string;
ttlSeconds: number;
};
host: ({
key: string;
label: string;
value: string;
})[] | null;
cannotStore: string | null;
purpose: string;
importance: "required" | "strongly-recommended" | "optional";
creator: "you" | "address-owner" | "zone-owner";
reason: string;
reference: string;
caution: string | null;
see: {
dig: string;
nslookup: string;
host: string;
};
request?: string;
})[];
files: ({
url: string;
mediaType: string;
content: string;
})[];
notes: ({
about: string;
text: string;
})[];
hosts: ({
id: string;
name: string;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/findings": {
/** What the last check has found, the worst first. */
get: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
checkedAt: string | null;
findings: ({
code: string;
concern: "zone" | "dnssec" | "mx" | "address" | "smtp" | "reverse" | "spf" | "dkim" | "dmarc" | "mta-sts" | "tls-rpt" | "dane" | "caa" | "certificate" | "client" | "service" | "bimi" | "reputation" | "drift";
severity: "error" | "unknown" | "warning" | "notice" | "ok";
owner: string;
expected: string;
observed: string;
why: string;
reference: string;
fix: {
summary: string;
changes: ({
action: "create" | "delete";
owner: string;
type: string;
ttlSeconds: number;
value: string;
zoneText: string;
form: {
type: string;
name: string;
priority?: number;
value: string;
ttlSeconds: number;
};
host: {
id: string;
name: string;
fields: ({
key: string;
label: string;
value: string;
})[];
cannotStore: string | null;
} | null;
})[];
request?: string;
} | null;
verify: string;
key: string;
since: string;
confirmed: boolean;
acknowledgedBy: string | null;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/findings/acknowledge": {
/** Says that somebody knows of a finding: no more alerts for it until it changes. */
post: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody: {
content: {
"application/json": {
key: string;
};
};
};
responses: {
204: { content?: never };
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/findings/open": {
/** Takes an acknowledgement back. */
post: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody: {
content: {
"application/json": {
key: string;
};
};
};
responses: {
204: { content?: never };
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/history": {
/** What has changed at a domain, the newest first. */
get: {
parameters: {
query?: {
before?: string;
limit?: number;
};
path: {
domain: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
events: ({
id: number;
domain: string;
at: string;
kind: "appeared" | "changed" | "gone" | "acknowledged";
code: string;
owner: string;
severity: "error" | "unknown" | "warning" | "notice" | "ok";
observed: string;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/compliance": {
/** The sender rules of the large receivers, each with what the last check shows of it. */
get: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
rules: ({
id: string;
provider: string;
rule: string;
appliesTo: string;
source: string;
verdict: string;
why: string | null;
evidence: ({
code: string;
concern: "zone" | "dnssec" | "mx" | "address" | "smtp" | "reverse" | "spf" | "dkim" | "dmarc" | "mta-sts" | "tls-rpt" | "dane" | "caa" | "certificate" | "client" | "service" | "bimi" | "reputation" | "drift";
severity: "error" | "unknown" | "warning" | "notice" | "ok";
owner: string;
expected: string;
observed: string;
why: string;
reference: string;
fix: {
summary: string;
changes: ({
action: "create" | "delete";
owner: string;
type: string;
ttlSeconds: number;
value: string;
zoneText: string;
form: {
type: string;
name: string;
priority?: number;
value: string;
ttlSeconds: number;
};
host: {
id: string;
name: string;
fields: ({
key: string;
label: string;
value: string;
})[];
cannotStore: string | null;
} | null;
})[];
request?: string;
} | null;
verify: string;
})[];
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/look": {
/** Asks every name server and resolver for the domain's records, as a job: who has them, and until when caches may keep what they have. */
post: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody?: never;
responses: {
202: {
content: {
"application/json": {
job: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/check": {
/** Checks a domain again; the job tells how far it is. */
post: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody?: never;
responses: {
202: {
content: {
"application/json": {
job: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/keys": {
/** The keys of a domain, the oldest first. */
get: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
keys: ({
owner: string;
selector: string;
state: string;
barred: string | null;
kind: string;
fingerprint: string;
createdAt: string;
lastSignedAt: string | null;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
/** Makes a key; it signs once every name server shows it. */
post: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody: {
content: {
"application/json": {
selector?: string;
algorithm?: "rsa" | "ed25519";
bits?: 2048 | 3072 | 4096;
};
};
};
responses: {
201: {
content: {
"application/json": {
key: {
owner: string;
selector: string;
state: string;
barred: string | null;
kind: string;
fingerprint: string;
createdAt: string;
lastSignedAt: string | null;
};
warning: string | null;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/keys/import": {
/** Takes in a private key that exists already. */
post: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody: {
content: {
"application/json": {
selector: string;
privateKey: string;
};
};
};
responses: {
201: {
content: {
"application/json": {
key: {
owner: string;
selector: string;
state: string;
barred: string | null;
kind: string;
fingerprint: string;
createdAt: string;
lastSignedAt: string | null;
};
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/keys/{selector}": {
/** A key, and its record in every shape that forms and files want. */
get: {
parameters: {
query?: {
host?: string;
};
path: {
domain: string;
selector: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
key: {
owner: string;
selector: string;
state: string;
barred: string | null;
kind: string;
fingerprint: string;
createdAt: string;
lastSignedAt: string | null;
};
shapes: ({
name: string;
text: string;
})[];
form: {
type: string;
name: string;
priority?: number;
value: string;
ttlSeconds: number;
} | null;
zoneText: string;
host: ({
key: string;
label: string;
value: string;
})[] | null;
cannotStore: string | null;
hosts: ({
id: string;
name: string;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/rotation": {
/** What each key has been through and what is ahead of it, by the looks so far; nothing is asked. */
get: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
zone: string;
canPublish: boolean;
proposedSelector: string;
keys: ({
selector: string;
past: ({
state: string;
at: string;
})[];
ahead: ({
state: string;
condition: "record" | "caches" | "newest" | "successor" | "mail" | "emptied" | "taken-away";
earliest: string | null;
})[];
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/keys/verify": {
/** What every name server shows of the keys, now; keys move on by it, as by every look. */
post: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
keys: ({
selector: string;
state: string;
servers: ({
server: string;
sight: string;
shows: string;
ttlSeconds: number | null;
})[];
cachesClearAt: string | null;
cachedSeconds: number | null;
next: {
action: string;
until: string | null;
reason: string;
} | null;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/keys/rotate": {
/** Goes on with the rotation by one step, as far as name servers allow; begins one where that is said. */
post: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody: {
content: {
"application/json": {
begin?: boolean;
publish?: boolean;
};
};
};
responses: {
200: {
content: {
"application/json": {
steps: ({
action: string;
selector: string | null;
until: string | null;
reason: string;
published: {
status: string;
detail: string;
} | null;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/keys/{selector}/bar": {
/** A key never signs again: retired, or revoked where others may have it. */
post: {
parameters: {
query?: never;
path: {
domain: string;
selector: string;
};
};
requestBody: {
content: {
"application/json": {
how: "retired" | "revoked";
};
};
};
responses: {
200: {
content: {
"application/json": {
key: {
owner: string;
selector: string;
state: string;
barred: string | null;
kind: string;
fingerprint: string;
createdAt: string;
lastSignedAt: string | null;
};
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/keys/{selector}/export": {
/** A key as files of a signing program, with its private half; a session and its password alone. */
post: {
parameters: {
query?: never;
path: {
domain: string;
selector: string;
};
};
requestBody: {
content: {
"application/json": {
format: "opendkim" | "rspamd" | "amavisd" | "dkimpy" | "pem";
folder?: string;
password: string;
};
};
};
responses: {
200: {
content: {
"application/json": {
files: ({
path: string;
content: string;
isPrivate: boolean;
})[];
notes: (string)[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/plan": {
/** What publishing would change in the domain's zone, with what speaks against it, and its digest. */
get: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
digest: string;
provider: string;
plan: {
zone: string;
values: ({
action: "create" | "delete" | "keep";
name: string;
type: string;
value: string;
ttlSeconds: number;
isOurs: boolean;
reason?: string;
purpose?: string;
})[];
steps: ({
changes: ({
name: string;
type: string;
before: (string)[] | null;
after: (string)[] | null;
ttlSeconds: number | null;
})[];
waitSeconds: number;
waitReason: string | null;
})[];
guards: ({
id: "apex-ns-soa" | "foreign-record" | "alias-beside-others" | "signing-key" | "dmarc-jump" | "mx-unresolvable" | "tlsa-unsigned" | "spf-lookups" | "many-deletions";
message: string;
canBeOverridden: boolean;
})[];
leftOut: ({
name: string;
type: string;
because: string;
})[];
notes: (string)[];
};
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/apply": {
/** Carries out the plan of this digest; where the plan has changed since, nothing happens. */
post: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody: {
content: {
"application/json": {
digest: string;
allow?: ("apex-ns-soa" | "foreign-record" | "alias-beside-others" | "signing-key" | "dmarc-jump" | "mx-unresolvable" | "tlsa-unsigned" | "spf-lookups" | "many-deletions")[];
};
};
};
responses: {
202: {
content: {
"application/json": {
job: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/undo": {
/** What taking the last apply back would change, and its digest. */
get: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
digest: string;
undoes: string;
steps: (({
name: string;
[key: string]: unknown;
})[])[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
/** Takes the last apply back, where it is still the one of this digest. */
post: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody: {
content: {
"application/json": {
digest: string;
};
};
};
responses: {
202: {
content: {
"application/json": {
job: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/explain": {
/** A record in words. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
text: string;
};
};
};
responses: {
200: {
content: {
"application/json": {
title: string;
terms: ({
text: string;
meaning: string;
})[];
remarks: ({
severity: string;
message: string;
[key: string]: unknown;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/propose": {
/** Reads what a domain has in DNS, and puts it in the words of a description, as a job. Nothing is kept. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
domain: string;
};
};
};
responses: {
202: {
content: {
"application/json": {
job: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/route": {
/** The way of a mail to an address, as a job. Servers are not asked about the recipient. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
address: string;
};
};
};
responses: {
202: {
content: {
"application/json": {
job: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/domains/{domain}/troubleshoot": {
/** From a symptom to its cause, as a job: what has to hold, step by step, up to the first that does not. */
post: {
parameters: {
query?: never;
path: {
domain: string;
};
};
requestBody: {
content: {
"application/json": {
symptom: "not-received" | "marked-as-spam" | "dkim-fails" | "spf-fails";
};
};
};
responses: {
202: {
content: {
"application/json": {
job: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/bounce": {
/** A refusal read: who said it, what it means, what to do; and what the last check of the domain shows of it. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
text: string;
domain?: string;
};
};
};
responses: {
200: {
content: {
"application/json": {
replyCode: number | null;
enhancedCode: string | null;
lasts: "permanent" | "temporary" | "unknown";
host: string | null;
provider: string | null;
address: string | null;
words: string;
cause: string | null;
isHarmless: boolean;
meaning: string;
reference: string;
advice: string | null;
domain: string | null;
isChecked: boolean;
known: {
checkedAt: string | null;
findings: ({
code: string;
concern: "zone" | "dnssec" | "mx" | "address" | "smtp" | "reverse" | "spf" | "dkim" | "dmarc" | "mta-sts" | "tls-rpt" | "dane" | "caa" | "certificate" | "client" | "service" | "bimi" | "reputation" | "drift";
severity: "error" | "unknown" | "warning" | "notice" | "ok";
owner: string;
expected: string;
observed: string;
why: string;
reference: string;
fix: {
summary: string;
changes: ({
action: "create" | "delete";
owner: string;
type: string;
ttlSeconds: number;
value: string;
zoneText: string;
form: {
type: string;
name: string;
priority?: number;
value: string;
ttlSeconds: number;
};
host: {
id: string;
name: string;
fields: ({
key: string;
label: string;
value: string;
})[];
cannotStore: string | null;
} | null;
})[];
request?: string;
} | null;
verify: string;
})[];
} | null;
see: (string)[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/headers": {
/** The header of a message that arrived somewhere: what the receiver's server made of it. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
text: string;
};
};
};
responses: {
200: {
content: {
"application/json": {
domain: string | null;
judgements: ({
by: string;
method: string;
result: string;
detail: string;
domain: string | null;
symptom: "not-received" | "marked-as-spam" | "dkim-fails" | "spf-fails" | null;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/settings": {
/** What the server runs with; of secrets, where they lie. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
version: string;
runtime: string;
stateDirectory: string | null;
settingsFile: string | null;
descriptionFile: string | null;
settings: ({
name: string;
value: string;
kind: "said" | "usual" | "secret";
variable: string | null;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/backup": {
/** How the state is saved, and when it was saved by this server last. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
isByDatabase: boolean;
last: {
at: string;
by: string;
} | null;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
/** The state as of now, as a file (application/vnd.sqlite3). The seal key is not in it. For sessions alone. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
password?: string;
};
};
};
responses: {
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/alerts": {
/** Who is told of news, by the server's settings; what was told, and what was given up, the newest first. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
channels: ({
id: string;
kind: "email" | "webhook" | "ntfy" | "slack";
receiver: string;
minimumSeverity: string;
quietHours: {
from: string;
until: string;
timeZone: string;
} | null;
domains: (string)[] | null;
weeklyDigest: boolean;
})[];
told: ({
id: string;
at: string;
channel: string;
title: string;
severity: string;
})[];
givenUp: ({
kind: string;
at: string;
attempts: number;
error: string;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/alerts/{channel}/test": {
/** Sends a test to a channel, and says what its receiver answered. */
post: {
parameters: {
query?: never;
path: {
channel: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
status: "accepted" | "refused" | "failed";
detail: string;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/providers": {
/** Who holds zones: what the server's settings say, and what was entered. Without secrets. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
providers: ({
id: string | null;
provider: string;
zones: (string)[] | null;
settings: Record<string, unknown>;
enteredAt: string | null;
enteredBy: string | null;
revision: number | null;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
/** Enters who holds zones. It is tried, and kept where it works. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
entry: {
provider: "rfc2136";
zones?: (string)[];
server: string;
key: {
name: string;
algorithm?: "hmac-sha256" | "hmac-sha384" | "hmac-sha512";
secret: string;
};
} | {
provider: "powerdns";
zones?: (string)[];
url: string;
server?: string;
apiKey: string;
} | {
provider: "route53";
zones?: (string)[];
accessKeyId: string;
secretAccessKey: string;
} | {
provider: "cloudflare";
zones?: (string)[];
token: string;
} | {
provider: "hetzner";
zones?: (string)[];
token: string;
} | {
provider: "digitalocean";
zones?: (string)[];
token: string;
} | {
provider: "desec";
zones?: (string)[];
token: string;
} | {
provider: "gandi";
zones?: (string)[];
token: string;
};
tryZone?: string;
evenUntried?: boolean;
};
};
};
responses: {
201: {
content: {
"application/json": {
provider: {
id: string | null;
provider: string;
zones: (string)[] | null;
settings: Record<string, unknown>;
enteredAt: string | null;
enteredBy: string | null;
revision: number | null;
};
trials: ({
zone: string;
works: boolean;
detail: string;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/providers/{id}": {
/** Enters a provider anew, with its secrets. */
put: {
parameters: {
query?: never;
path: {
id: string;
};
};
requestBody: {
content: {
"application/json": {
entry: {
provider: "rfc2136";
zones?: (string)[];
server: string;
key: {
name: string;
algorithm?: "hmac-sha256" | "hmac-sha384" | "hmac-sha512";
secret: string;
};
} | {
provider: "powerdns";
zones?: (string)[];
url: string;
server?: string;
apiKey: string;
} | {
provider: "route53";
zones?: (string)[];
accessKeyId: string;
secretAccessKey: string;
} | {
provider: "cloudflare";
zones?: (string)[];
token: string;
} | {
provider: "hetzner";
zones?: (string)[];
token: string;
} | {
provider: "digitalocean";
zones?: (string)[];
token: string;
} | {
provider: "desec";
zones?: (string)[];
token: string;
} | {
provider: "gandi";
zones?: (string)[];
token: string;
};
tryZone?: string;
evenUntried?: boolean;
revision: number;
};
};
};
responses: {
200: {
content: {
"application/json": {
provider: {
id: string | null;
provider: string;
zones: (string)[] | null;
settings: Record<string, unknown>;
enteredAt: string | null;
enteredBy: string | null;
revision: number | null;
};
trials: ({
zone: string;
works: boolean;
detail: string;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
/** Takes a provider away. For an hour it can be brought back. */
delete: {
parameters: {
query?: never;
path: {
id: string;
};
};
requestBody?: never;
responses: {
204: { content?: never };
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/providers/{id}/try": {
/** Tries whether a provider still works: its zone is read, and nothing is changed. */
post: {
parameters: {
query?: never;
path: {
id: string;
};
};
requestBody: {
content: {
"application/json": {
tryZone?: string;
};
};
};
responses: {
200: {
content: {
"application/json": {
trials: ({
zone: string;
works: boolean;
detail: string;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/providers/{id}/restore": {
/** Brings back a provider that was taken away within the hour. */
post: {
parameters: {
query?: never;
path: {
id: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
provider: {
id: string | null;
provider: string;
zones: (string)[] | null;
settings: Record<string, unknown>;
enteredAt: string | null;
enteredBy: string | null;
revision: number | null;
};
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/users": {
/** All users. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
users: ({
id: string;
name: string;
role: "administrator" | "owner" | "reader";
hasPassword: boolean;
hasTotp: boolean;
oidcSubject: string | null;
createdAt: string;
disabledAt: string | null;
revision: number;
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
/** Makes a user, with a password or a subject at the identity provider. */
post: {
parameters: {
query?: never;
path?: never;
};
requestBody: {
content: {
"application/json": {
name: string;
password?: string;
makePassword?: true;
ownPassword?: string;
role: "administrator" | "owner" | "reader";
oidcSubject?: string;
};
};
};
responses: {
201: {
content: {
"application/json": {
id: string;
name: string;
role: "administrator" | "owner" | "reader";
hasPassword: boolean;
hasTotp: boolean;
oidcSubject: string | null;
createdAt: string;
disabledAt: string | null;
revision: number;
temporaryPassword: string | null;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/users/{id}": {
/** Changes a user: role, whether they may come in, a new password, codes taken off. With a new password or subject, and where they may not come in, their sessions end, and their passkeys and tokens go. */
put: {
parameters: {
query?: never;
path: {
id: string;
};
};
requestBody: {
content: {
"application/json": {
revision: number;
role?: "administrator" | "owner" | "reader";
disabled?: boolean;
password?: string;
makePassword?: true;
ownPassword?: string;
removeTotp?: true;
oidcSubject?: string | null;
};
};
};
responses: {
200: {
content: {
"application/json": {
id: string;
name: string;
role: "administrator" | "owner" | "reader";
hasPassword: boolean;
hasTotp: boolean;
oidcSubject: string | null;
createdAt: string;
disabledAt: string | null;
revision: number;
temporaryPassword: string | null;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/tokens": {
/** The tokens of all users, without their secrets, the oldest first. */
get: {
parameters: {
query?: never;
path?: never;
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
tokens: ({
id: string;
label: string;
scopes: (string)[];
createdAt: string;
expiresAt: string | null;
lastUsedAt: string | null;
user: {
id: string;
name: string;
};
})[];
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/users/{id}/tokens/{token}": {
/** Takes back a token of somebody. */
delete: {
parameters: {
query?: never;
path: {
id: string;
token: string;
};
};
requestBody?: never;
responses: {
204: { content?: never };
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/jobs/{job}": {
/** How far a job is, and what has come of it. */
get: {
parameters: {
query?: never;
path: {
job: string;
};
};
requestBody?: never;
responses: {
200: {
content: {
"application/json": {
id: string;
kind: string;
domain: string | null;
state: "waiting" | "running" | "done" | "failed";
startedAt: string;
progress: unknown;
result: unknown;
};
};
};
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
"/api/jobs/{job}/events": {
/** A job's events as they happen (text/event-stream): progress, then done or failed. */
get: {
parameters: {
query?: never;
path: {
job: string;
};
};
requestBody?: never;
responses: {
"4XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
"5XX": {
content: {
"application/json": components["schemas"]["Problem"];
};
};
};
};
};
}

export interface components {
schemas: {
ProblemInput: {
type: string;
title: string;
status: number;
where: string;
what: string;
remedy: string;
problems?: ({
where: string;
what: string;
})[];
};
Problem: {
type: string;
title: string;
status: number;
where: string;
what: string;
remedy: string;
problems?: ({
where: string;
what: string;
})[];
};
};
}

