import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HttpWorld, httpWorld } from "../../../test/support/http-world.ts";

const BOUNCE = (domain: string) =>
  `host gmail-smtp-in.l.google.com[192.0.2.200] said: 550-5.7.26 Unauthenticated email from ${domain} is not accepted due to domain's 550-5.7.26 DMARC policy. (in reply to end of DATA command)`;

let world: HttpWorld;
beforeEach(async () => {
  world = await httpWorld();
});
afterEach(() => world.close());

async function jobOf(who: string, path: string, body: unknown) {
  const { status, body: begun } = await world.ask(world.clients[who]!, "POST", path, body);
  expect(status).toBe(202);
  await world.settle();
  const { job } = begun as { job: string };
  return (await world.ask(world.clients[who]!, "GET", `/api/jobs/${job}`)).body as {
    state: string;
    result: { symptom: string; steps: { state: string }[]; cause: { code: string; fix: unknown } | null };
  };
}

describe("POST /api/domains/:domain/troubleshoot", () => {
  it("runs to the first cause, and has its fix", async () => {
    const { state, result } = await jobOf("owner", "/api/domains/anna.example/troubleshoot", {
      symptom: "spf-fails",
    });
    expect(state).toBe("done");
    expect(result.cause?.code).toBe("spf-missing");
    expect(result.steps.map((step) => step.state).slice(-3)).toEqual(["cause", "not-run", "not-run"]);
  });

  it("answers each symptom by itself, also while another is under way", async () => {
    const owner = world.clients["owner"]!;
    const begun = await Promise.all(
      ["spf-fails", "dkim-fails"].map((symptom) =>
        world.ask(owner, "POST", "/api/domains/anna.example/troubleshoot", { symptom }),
      ),
    );
    await world.settle();
    const jobs = begun.map(({ body }) => (body as { job: string }).job);
    const results = await Promise.all(jobs.map((job) => world.ask(owner, "GET", `/api/jobs/${job}`)));
    expect(results.map(({ body }) => (body as { result: { symptom: string } }).result.symptom)).toEqual([
      "spf-fails",
      "dkim-fails",
    ]);
  });

  it("refuses a symptom that there is none of", async () => {
    const { status } = await world.ask(
      world.clients["owner"]!,
      "POST",
      "/api/domains/anna.example/troubleshoot",
      { symptom: "everything" },
    );
    expect(status).toBe(400);
  });
});

describe("POST /api/bounce", () => {
  const read = async (who: string, body: object) => {
    const { status, body: answer } = await world.ask(world.clients[who]!, "POST", "/api/bounce", body);
    return { status, ...(answer as { domain: string; known: { findings: { code: string }[] } | null }) };
  };

  it("shows what the last check of one's own domain has of it", async () => {
    await world.ask(world.clients["owner"]!, "POST", "/api/domains/anna.example/check");
    await world.settle();
    const { known } = await read("owner", { text: BOUNCE("anna.example") });
    expect(known?.findings.map(({ code }) => code)).toContain("spf-missing");
  });

  it("says of another's domain what it says of nobody's", async () => {
    await world.ask(world.clients["owner"]!, "POST", "/api/domains/anna.example/check");
    await world.settle();
    const [others, nobodys] = [
      await read("other", { text: BOUNCE("anna.example") }),
      await read("other", { text: BOUNCE("nobody.example") }),
    ];
    expect(others.known).toBeNull();
    expect(JSON.stringify(others).replaceAll("anna.example", "nobody.example")).toBe(JSON.stringify(nobodys));
    for (const domain of ["anna.example", "nobody.example"])
      expect((await read("other", { text: BOUNCE("bert.example"), domain })).status).toBe(404);
  });

  it("takes a domain in place of the text's", async () => {
    const { domain, known } = await read("owner", {
      text: BOUNCE("nobody.example"),
      domain: "anna.example",
    });
    expect([domain, known !== null]).toEqual(["anna.example", true]);
  });
});
