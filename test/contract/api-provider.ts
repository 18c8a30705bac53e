/** What providers over HTTP promise besides: nothing is lost, and nothing is said to be done that is not. */
import { afterEach, describe, expect, it } from "vitest";
import { createHttpClient } from "../../src/net/http-client.ts";
import type { ApplyOutcome, Provider, Rrset, RrsetChange } from "../../src/publish/provider.ts";
import type { ApiMeans } from "../../src/publish/providers/api.ts";
import { hasSameData, rrsetKey } from "../../src/publish/rrset.ts";
import type { DomainName } from "../../src/standards/dns/name.ts";
import type { ApiReply, ApiServer, Fault } from "../support/apis/api-server.ts";
import { changeOf, contentOf, findRrset, type OpenProvider, providerContract, rrsetIn } from "./provider.ts";

export interface OpenApi {
  readonly server: ApiServer;
  readonly zone: DomainName;
  readonly unknownZone?: DomainName;
  /** With the API's right token, or another. */
  provider(means: ApiMeans, token: string): Provider;
}

export interface ApiFacts {
  readonly title: string;
  /** That it accepts. */
  readonly token: string;
  readonly open: () => Promise<OpenApi>;
  /** How its refusals look; some of them tell the token, which nobody must see. */
  readonly replies: {
    readonly refused: ApiReply;
    readonly expired: ApiReply;
    readonly tooMany: (retryAfterSeconds: number) => ApiReply;
    readonly broken: ApiReply;
  };
  /** As the contract's. */
  readonly lacksTxt?: OpenProvider["lacksTxt"];
}

export const WRONG_TOKEN = "wrong-token";

export function apiProviderContract(facts: ApiFacts): void {
  const { title, token, replies } = facts;

  providerContract(title, async () => {
    const { server, zone, unknownZone, provider } = await facts.open();
    const client = createHttpClient();
    const means = { http: client.request, sleep: async () => {} };
    return {
      zone,
      ...(unknownZone === undefined ? {} : { unknownZone }),
      ...(facts.lacksTxt === undefined ? {} : { lacksTxt: facts.lacksTxt }),
      provider: provider(means, token),
      withWrongCredentials: provider(means, WRONG_TOKEN),
      async close() {
        client.close();
        await server.close();
      },
    };
  });

  describe(`${title}: when something goes wrong`, () => {
    const toClose: (() => Promise<void> | void)[] = [];
    afterEach(async () => {
      for (const close of toClose.splice(0)) await close();
    });

    const start = async () => {
      const { server, zone, provider: create } = await facts.open();
      const client = createHttpClient({ deadlineMilliseconds: 2000 });
      toClose.push(client.close, server.close);
      const slept: number[] = [];
      const provider = create(
        {
          http: client.request,
          sleep: async (milliseconds) => {
            slept.push(milliseconds);
          },
        },
        token,
      );
      const foreign = rrsetIn(zone, "foreign", "TXT", ['"theirs"']);
      const old = rrsetIn(zone, "old", "TXT", ['"one"', '"two"']);
      const setUp = await provider.apply(zone, [changeOf(undefined, foreign), changeOf(undefined, old)]);
      expect(setUp).toEqual({ status: "applied" });
      const standing = findRrset(await contentOf(provider, zone), old.name, "TXT");
      const wanted = [
        rrsetIn(zone, "mail", "A", ["192.0.2.1"]),
        rrsetIn(zone, "old", "TXT", ['"two"', '"three"']),
        rrsetIn(zone, "box", "MX", ["10 mail.example.net."]),
      ];
      const changes = wanted.map((rrset) => changeOf(rrset.name === old.name ? standing : undefined, rrset));
      slept.length = 0;
      server.log.length = 0;
      return { server, zone, provider, slept, changes, wanted, foreign };
    };
    type Started = Awaited<ReturnType<typeof start>>;

    /** What is said to be applied is there; what is not ours is as it was; and no secret is told. */
    const expectTruth = async ({ provider, zone, foreign, changes }: Started, outcome: ApplyOutcome) => {
      const content = await contentOf(provider, zone);
      const isThere = (rrset: Rrset | undefined, { name, type }: RrsetChange) =>
        hasSameData(findRrset(content, name, type), rrset);
      const applied =
        outcome.status === "applied" ? changes : outcome.status === "interrupted" ? outcome.applied : [];
      for (const change of applied) expect(isThere(change.after, change), rrsetKey(change)).toBe(true);
      if (outcome.status === "failed" || outcome.status === "stale") {
        for (const change of changes) expect(isThere(change.before, change), rrsetKey(change)).toBe(true);
      }
      expect(hasSameData(findRrset(content, foreign.name, "TXT"), foreign)).toBe(true);
      expect(JSON.stringify(outcome)).not.toContain(token);
    };

    /** A plan made anew from the zone as it is brings it to where it should be. */
    const expectLaterCallFinishes = async ({ provider, zone, wanted, foreign }: Started) => {
      const now = await contentOf(provider, zone);
      const left = wanted
        .map((rrset) => changeOf(findRrset(now, rrset.name, rrset.type), rrset))
        .filter(({ before, after }) => !hasSameData(before, after));
      expect(await provider.apply(zone, left)).toEqual({ status: "applied" });
      const then = await contentOf(provider, zone);
      for (const rrset of [...wanted, foreign]) {
        expect(hasSameData(findRrset(then, rrset.name, rrset.type), rrset), rrsetKey(rrset)).toBe(true);
      }
    };

    const readFaults: [name: string, fault: Fault, cause: string][] = [
      ["no answer", "reset", "unreachable"],
      ["half a page", "half an answer", "unreachable"],
      ["garbage", "garbage", "provider-error"],
      ["an answer of other types", { reply: { status: 200, body: [[7]] } }, "provider-error"],
      ["null", { reply: { status: 200, body: "null" } }, "provider-error"],
      ["an error of its own", { reply: replies.broken }, "provider-error"],
      ["a redirect", { reply: { status: 302, headers: { location: "/other" } } }, "provider-error"],
      ["an expired token", { reply: replies.expired }, "credentials"],
      ["too many requests for now", { reply: replies.tooMany(600) }, "rate-limited"],
    ];
    it.each(readFaults)("%s while reading changes nothing", async (_name, fault, cause) => {
      const started = await start();
      const { server, provider, zone, changes } = started;
      // A lost answer is asked for again once where the connection was a kept one.
      server.plan({ on: "read", fault });
      if (fault === "reset") server.plan({ on: "read", fault });
      const reading = await provider.readZone(zone);
      expect(reading).toMatchObject({ status: "failed", cause });
      expect(JSON.stringify(reading)).not.toContain(token);
      if (cause === "rate-limited" && replies.tooMany(600).headers !== undefined) {
        expect(reading).toMatchObject({ retryAfterSeconds: 600 });
      }
      server.forgetPlans();
      server.plan({ on: "read", fault });
      if (fault === "reset") server.plan({ on: "read", fault });
      const outcome = await provider.apply(zone, changes);
      expect(outcome).toMatchObject({ status: "failed", cause });
      expect(server.log.filter((line) => !line.startsWith("GET"))).toEqual([]);
      server.forgetPlans();
      await expectTruth(started, outcome);
      await expectLaterCallFinishes(started);
    });

    it("waits once where it is asked to wait for a short time", async () => {
      const started = await start();
      const { server, provider, zone, changes, slept } = started;
      server.plan({ on: "write", fault: { reply: replies.tooMany(2) } });
      expect(await provider.apply(zone, changes)).toEqual({ status: "applied" });
      expect(slept[0]).toBe(replies.tooMany(2).headers === undefined ? 1000 : 2000);
      await expectTruth(started, { status: "applied" });
    });

    it.each<[name: string, waits: number[]]>([
      ["twice", [2, 2]],
      ["for long", [600]],
    ])("does not wait %s", async (_name, waits) => {
      const started = await start();
      const { server, provider, zone, changes } = started;
      for (const wait of waits) server.plan({ on: "write", fault: { reply: replies.tooMany(wait) } });
      if (replies.tooMany(2).headers === undefined && waits.length === 1) {
        server.plan({ on: "write", fault: { reply: replies.tooMany(2) } });
      }
      const outcome = await provider.apply(zone, changes);
      server.forgetPlans();
      expect(outcome).toMatchObject({ status: "failed", cause: "rate-limited" });
      await expectTruth(started, outcome);
      await expectLaterCallFinishes(started);
    });

    const writeFaults: [name: string, fault: Fault, status: ApplyOutcome["status"][], cause: string][] = [
      ["an error of its own", { reply: replies.broken }, ["interrupted"], "provider-error"],
      ["no answer, nothing done", "reset", ["interrupted"], "unreachable"],
      ["no answer, all done", "reset after", ["interrupted"], "unreachable"],
      ["half an answer", "half an answer", ["interrupted", "applied"], "unreachable"],
      ["garbage", "garbage", ["interrupted", "applied"], "provider-error"],
      ["a refusal", { reply: replies.refused }, ["failed"], "refused"],
      ["a token that expired meanwhile", { reply: replies.expired }, ["failed"], "credentials"],
    ];
    it.each(writeFaults)("%s to the first request that writes", async (_name, fault, statuses, cause) => {
      const started = await start();
      const { server, provider, zone, changes } = started;
      server.plan({ on: "write", fault });
      const outcome = await provider.apply(zone, changes);
      expect(statuses).toContain(outcome.status);
      if (outcome.status === "interrupted") {
        expect(outcome).toMatchObject({ applied: [], failure: { cause } });
      } else if (outcome.status === "failed") expect(outcome.cause).toBe(cause);
      await expectTruth(started, outcome);
      await expectLaterCallFinishes(started);
    });

    it.each(writeFaults)("%s to the second or third one", async (_name, fault, _statuses, cause) => {
      for (const skip of [1, 2]) {
        const started = await start();
        const { server, provider, zone, changes } = started;
        server.plan({ on: "write", skip, fault });
        const outcome = await provider.apply(zone, changes);
        const writes = server.log.filter((line) => !line.startsWith("GET")).length;
        if (writes <= skip) {
          // All of it was one request.
          expect(outcome).toEqual({ status: "applied" });
          expect(provider.capabilities.atomic).toBe("call");
          continue;
        }
        if (outcome.status !== "applied") {
          expect(outcome).toMatchObject({ status: "interrupted", failure: { cause } });
          if (outcome.status !== "interrupted") return;
          expect(outcome.applied).toEqual(changes.slice(0, outcome.applied.length));
          expect(outcome.applied.length).toBeGreaterThan(0);
          expect(outcome.applied.length).toBeLessThan(changes.length);
        }
        await expectTruth(started, outcome);
        await expectLaterCallFinishes(started);
      }
    });

    it("refuses what it cannot store before anything is sent", async () => {
      const { server, provider, zone, changes } = await start();
      const { lacksTypes, minTtlSeconds = 0 } = provider.capabilities;
      const impossible: Rrset[] = [];
      if (minTtlSeconds > 0) {
        impossible.push(rrsetIn(zone, "short", "A", ["192.0.2.1"], minTtlSeconds - 1));
      }
      if (lacksTypes.includes("TLSA")) {
        impossible.push(rrsetIn(zone, "_25._tcp", "TLSA", [`3 1 1 ${"ab".repeat(32)}`]));
      }
      for (const rrset of impossible) {
        const outcome = await provider.apply(zone, [...changes, changeOf(undefined, rrset)]);
        expect(outcome).toMatchObject({ status: "failed", cause: "refused" });
      }
      const outside = { name: "example.net" as DomainName, type: "A", ttlSeconds: 3600 } as const;
      const elsewhere = { ...outside, data: [{ type: "A", address: "192.0.2.1" }] } as const;
      const outcome = await provider.apply(zone, [changeOf(undefined, elsewhere)]);
      expect(outcome).toMatchObject({ status: "failed", cause: "refused" });
      expect(server.log.filter((line) => !line.startsWith("GET"))).toEqual([]);
    });

    it("reads a zone of many pages", async () => {
      const { provider, zone } = await start();
      const many = Array.from({ length: 30 }, (_, at) => rrsetIn(zone, `host${at}`, "A", [`192.0.2.${at}`]));
      expect(
        await provider.apply(
          zone,
          many.map((rrset) => changeOf(undefined, rrset)),
        ),
      ).toEqual({ status: "applied" });
      const content = await contentOf(provider, zone);
      for (const rrset of many) expect(hasSameData(findRrset(content, rrset.name, "A"), rrset)).toBe(true);
    });
  });
}
