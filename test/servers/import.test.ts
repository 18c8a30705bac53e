/** What dig, host and nslookup really print of each golden record is read back as that record. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type DnsServer, startDnsServer } from "../../src/net/dns-server.ts";
import { readPasted } from "../../src/records/import/read-pasted.ts";
import { type DomainName, domainName, isWithin } from "../../src/standards/dns/name.ts";
import { formatRdata } from "../../src/standards/dns/rdata-text.ts";
import { type ResourceRecord, txtText, typeOf } from "../../src/standards/dns/record.ts";
import { DESCRIBED } from "../support/healthy-world.ts";
import { describeWithServers } from "../support/real-server.ts";

const run = promisify(execFile);
const records = DESCRIBED.derived!.records.map(({ record }) => record);
const soa = (apex: DomainName): ResourceRecord => ({
  name: apex,
  ttlSeconds: 3600,
  data: {
    type: "SOA",
    primary: domainName("ns.invalid"),
    mailbox: domainName("hostmaster.invalid"),
    serial: 1,
    refreshSeconds: 3600,
    retrySeconds: 600,
    expireSeconds: 86_400,
    minimumSeconds: 60,
  },
});
const meaning = ({ name, data }: ResourceRecord) =>
  `${name} ${typeOf(data)} ${data.type === "TXT" ? txtText(data) : formatRdata(data)}`;

describeWithServers(["dig", "host", "nslookup"], "the output of DNS tools, pasted", () => {
  let server: DnsServer;
  beforeAll(async () => {
    const zones = ["example.org", "example.net", "in-addr.arpa", "ip6.arpa"].map(domainName).map((apex) => ({
      apex,
      records: [soa(apex), ...records.filter(({ name }) => isWithin(name, apex))],
    }));
    server = await startDnsServer({ address: "127.0.0.1", port: 0, zones });
  });
  afterAll(() => server.close());

  const TOOLS: Readonly<Record<string, (name: string, type: string, port: string) => readonly string[]>> = {
    dig: (name, type, port) => ["dig", "@127.0.0.1", "-p", port, "+norecurse", name, type],
    host: (name, type, port) => ["host", "-p", port, "-t", type, name, "127.0.0.1"],
    nslookup: (name, type, port) => ["nslookup", `-port=${port}`, `-type=${type}`, name, "127.0.0.1"],
  };

  it.each(Object.keys(TOOLS))("%s", async (tool) => {
    const questions = [...new Set(records.map(({ name, data }) => `${name}. ${typeOf(data)}`))];
    const outputs = await Promise.all(
      questions.map(async (question) => {
        const [name, type] = question.split(" ");
        const [program, ...words] = TOOLS[tool]!(name!, type!, String(server.port));
        return (await run(program!, words)).stdout;
      }),
    );
    const { records: read } = readPasted(outputs.join("\n"), { organizationalDomain: () => undefined });
    expect(read.map(({ record }) => meaning(record)).toSorted()).toEqual(records.map(meaning).toSorted());
  });

  it("dig +short, below the command that was typed", async () => {
    const { stdout } = await run("dig", [
      "@127.0.0.1",
      "-p",
      String(server.port),
      "+short",
      "+norecurse",
      "example.org",
      "MX",
    ]);
    const { records: read } = readPasted(`$ dig +short example.org MX\n${stdout}`, {
      organizationalDomain: () => undefined,
    });
    expect(read.map(({ record }) => meaning(record))).toEqual(["example.org MX 10 mail.example.org."]);
  });
});
