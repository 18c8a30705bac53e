/** On a real port: TLS, events as they happen, and an end that lets nobody wait. */
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { httpWorld } from "../../../test/support/http-world.ts";
import { generateDkimKeyPair } from "../../keys/generate.ts";
import { selfSignedCertificate } from "../../net/self-signed-certificate.ts";
import { StoreTrouble } from "../../store/trouble.ts";
import { Interruption, Tasks } from "../../watch/task.ts";

it("serves TLS, tells of a job while it runs, and stops without leaving anybody", async () => {
  const { privateKey } = await generateDkimKeyPair({ algorithm: "rsa", modulusBits: 2048 });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const dates = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 86_400_000) };
  const certificate = selfSignedCertificate({ name: "zonepost.example.net", privateKey: key, ...dates });
  const world = await httpWorld({}, { tls: { certificate, key } });
  await world.server.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = world.server.app.server.address() as AddressInfo;

  const gate = Promise.withResolvers<void>();
  const tasks = new Tasks({
    store: world.parts.tasks,
    queue: { add: async () => {} },
    now: () => new Date(),
    newId: () => "slow-one",
    sleep: async () => {},
    onTrouble: () => {},
  });
  const slow = tasks.define("slow", async (_, { progress }) => {
    progress({ done: 1, of: 2 });
    await gate.promise;
    return "all of it";
  });
  const job = await slow({ domain: "anna.example", ownerId: world.users.anna.id }, {});
  if (typeof job === "string") throw new Error("it is not");
  const done = tasks.handlers.task({ id: job.id }, { id: "1", attempt: 1, isLast: false });
  const heard: string[] = [];
  const first = Promise.withResolvers<void>();
  const ended = new Promise<void>((resolve, reject) => {
    const headers = { ...world.clients["owner"]!.headers, host: "zonepost.example.net" };
    const options = { port, host: "127.0.0.1", path: `/api/jobs/${job.id}/events`, headers, ca: certificate };
    request({ ...options, servername: "zonepost.example.net" }, (response) => {
      expect(response.headers["strict-transport-security"]).toContain("max-age");
      response.on("data", (octets: Buffer) => {
        heard.push(octets.toString());
        first.resolve();
      });
      response.once("end", resolve);
    })
      .once("error", reject)
      .end();
  });
  await first.promise;
  expect(heard.join("")).toBe('event: progress\ndata: {"done":1,"of":2}\n\n');
  const stopped = world.close();
  gate.resolve();
  await Promise.all([ended, stopped, done]);
  expect(heard.join("")).toContain('event: done\ndata: "all of it"');
});

it.each([
  ["full", 503, "disk of the store is full", "make room"],
  ["resealed", 503, "under another seal key than this server's", "start it again"],
  ["gone", 503, "database does not answer", "try again"],
  ["busy", 503, "locked", "try again"],
  ["damaged", 500, "went wrong", "log"],
] as const)(
  "says what trouble with the store means where it is %s, and not where it lies",
  async (...row) => {
    const [kind, status, what, remedy] = row;
    const trouble = new StoreTrouble(kind, "/var/lib/zonepost/zonepost.db: what the driver said");
    const world = await httpWorld();
    world.parts.descriptions.putDomain = () => Promise.reject(trouble);
    const { administrator } = world.clients;
    const body = { content: {}, revision: 1 };
    const answer = await world.ask(administrator!, "PUT", "/api/domains/anna.example", body);
    expect(answer.status, answer.text).toBe(status);
    expect(answer.body).toMatchObject({
      what: expect.stringContaining(what),
      remedy: expect.stringContaining(remedy),
    });
    expect(answer.text).not.toContain("/var/lib");
    expect(world.logged.join("")).toContain("what the driver said");
    expect((await world.ask(administrator!, "GET", "/api/domains/anna.example")).status).toBe(200);
    await world.close();
  },
);

it("tells the revision of a domain that was removed and is taken in again, and takes changes on it", async () => {
  const world = await httpWorld();
  const { administrator } = world.clients;
  const ask = (method: string, path: string, body?: object) => world.ask(administrator!, method, path, body);
  const { body: made } = await ask("POST", "/api/domains", { domain: "again.example" });
  expect(made).toMatchObject({ revision: 1 });
  expect((await ask("DELETE", "/api/domains/again.example?revision=1")).status).toBe(204);
  const { body: again } = await ask("POST", "/api/domains", { domain: "again.example" });
  expect(again).toMatchObject({ revision: 2 });
  const put = await ask("PUT", "/api/domains/again.example", { content: {}, revision: 2 });
  expect(put.status).toBe(200);
  await world.close();
});

it("goes on with a task that the end of a server has interrupted", async () => {
  const world = await httpWorld();
  const tasks = new Tasks({
    store: world.parts.tasks,
    queue: { add: async () => {} },
    now: () => new Date(),
    newId: () => "interrupted-one",
    sleep: async () => {},
    onTrouble: () => {},
  });
  const wait = tasks.define("wait", async (_, { attempt }) => {
    if (attempt === 1) throw new Interruption();
    return "waited";
  });
  const job = await wait({ domain: "anna.example", ownerId: world.users.anna.id }, {});
  if (typeof job === "string") throw new Error("it is not");
  const run = (attempt: number) =>
    tasks.handlers.task({ id: job.id }, { id: "1", attempt, isLast: attempt === 3 });
  // So that the queue tries again.
  await expect(run(1)).rejects.toThrow(Interruption);
  expect((await tasks.get(job.id))?.state).toBe("running");
  await run(2);
  expect(await tasks.get(job.id)).toMatchObject({ state: "done", result: "waited" });
  await world.close();
});
