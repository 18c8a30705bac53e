import { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { type HttpWorld, httpWorld } from "../../../test/support/http-world.ts";

let world: HttpWorld;
afterEach(() => world.close());

const administrator = () => world.clients["administrator"]!;
const save = () => world.ask(administrator(), "POST", "/api/backup", {});

describe("a backup", () => {
  it("is a file of its own name, is written down, and is told as the last one", async () => {
    world = await httpWorld();
    const { status, text, headers } = await save();
    expect([status, text, headers["content-length"]]).toEqual([200, "state", "5"]);
    expect(headers["content-disposition"]).toBe('attachment; filename="zonepost-2026-11-21T1200.db"');
    const { body } = await world.ask(administrator(), "GET", "/api/backup");
    expect(body).toEqual({
      isByDatabase: false,
      last: { at: "2026-11-21T12:00:00.000Z", by: "admin" },
    });
  });

  it("is one at a time", async () => {
    const content = new Readable({ read: () => {} });
    world = await httpWorld({ saveState: async () => ({ octets: 5, content }) });
    const first = save();
    await expect.poll(async () => (await save()).status).toBe(409);
    content.push("state");
    content.push(null);
    expect((await first).status).toBe(200);
  });

  it("says what is wrong, and can be tried again", async () => {
    let tries = 0;
    world = await httpWorld({
      saveState: async () => {
        if (tries++ === 0) throw new Error("the disk is full; nothing was changed");
        return { octets: 5, content: Readable.from(["state"]) };
      },
    });
    const { status, body } = await save();
    expect([status, body]).toEqual([
      500,
      expect.objectContaining({ what: expect.stringContaining("disk is full") }),
    ]);
    expect((await save()).status).toBe(200);
  });

  it("gives its room free, and can be tried again, where it cannot be written down", async () => {
    const contents: Readable[] = [];
    world = await httpWorld({
      saveState: async () => {
        const content = Readable.from(["state"]);
        contents.push(content);
        return { octets: 5, content };
      },
    });
    const { audit } = world.access;
    world.access.audit = async () => {
      throw new Error("the disk is full");
    };
    expect((await save()).status).toBe(500);
    expect(contents.map(({ destroyed }) => destroyed)).toEqual([true]);
    world.access.audit = audit;
    expect((await save()).status).toBe(200);
  });

  it("may be taken often: a right password is no guess", async () => {
    world = await httpWorld();
    for (let times = 0; times < 30; times++) expect((await save()).status, `${times}`).toBe(200);
  });

  it("is left to PostgreSQL where the state lies there", async () => {
    world = await httpWorld({ saveState: undefined });
    expect((await save()).status).toBe(422);
    const { body } = await world.ask(administrator(), "GET", "/api/backup");
    expect(body).toEqual({ isByDatabase: true, last: null });
  });
});
