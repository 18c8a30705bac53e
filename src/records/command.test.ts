import { expect, it } from "vitest";
import { domainName } from "../standards/dns/name.ts";
import { lookupCommands } from "./command.ts";

type At = Parameters<typeof lookupCommands>[2];

it.each<
  [
    reason: string,
    name: string,
    type: Parameters<typeof lookupCommands>[1],
    at: At,
    dig: string,
    nslookup: string,
    host: string,
  ]
>([
  [
    "R15 MX",
    "example.org",
    "MX",
    undefined,
    "dig MX example.org",
    "nslookup -type=MX example.org",
    "host -t MX example.org",
  ],
  [
    "R25 a reverse name is asked for by its address",
    "1.2.0.192.in-addr.arpa",
    "PTR",
    undefined,
    "dig -x 192.0.2.1",
    "nslookup 192.0.2.1",
    "host 192.0.2.1",
  ],
  [
    "at one name server",
    "example.org",
    "TXT",
    { server: "192.0.2.53" },
    "dig TXT example.org @192.0.2.53",
    "nslookup -type=TXT example.org 192.0.2.53",
    "host -t TXT example.org 192.0.2.53",
  ],
  [
    "at another port",
    "example.org",
    "A",
    { server: "127.0.0.1", port: 5353 },
    "dig A example.org @127.0.0.1 -p 5353",
    "nslookup -port=5353 -type=A example.org 127.0.0.1",
    "host -p 5353 -t A example.org 127.0.0.1",
  ],
  [
    "a wildcard is nothing for the shell",
    "*._domainkey.example.org",
    "TXT",
    undefined,
    "dig TXT '*._domainkey.example.org'",
    "nslookup -type=TXT '*._domainkey.example.org'",
    "host -t TXT '*._domainkey.example.org'",
  ],
  [
    "nor is anything else in a name",
    "it's;rm.example.org",
    "A",
    undefined,
    "dig A 'it'\\''s\\;rm.example.org'",
    "nslookup -type=A 'it'\\''s\\;rm.example.org'",
    "host -t A 'it'\\''s\\;rm.example.org'",
  ],
])("%s", (_reason, name, type, at, dig, nslookup, host) => {
  expect(lookupCommands(domainName(name.replace(";", "\\;")), type, at)).toEqual({ dig, nslookup, host });
});
