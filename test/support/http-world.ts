/** A server without a port: two owners with a domain each, a reader, an administrator, and tokens of every scope. */
import { createSecretKey, randomBytes, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type Role, SCOPES, type Scope, type User } from "../../src/access/access-store.ts";
import { createSecretBox } from "../../src/access/secret-box.ts";
import { beginSession, csrfToken } from "../../src/access/session.ts";
import { makeToken } from "../../src/access/token.ts";
import type { ServerParts, ServerSettings } from "../../src/interface/http/parts.ts";
import { createServer, type ZonepostServer } from "../../src/interface/http/server.ts";
import { generateDkimKeyPair } from "../../src/keys/generate.ts";
import { readMasterKey } from "../../src/keys/sealing.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { StoreTrouble } from "../../src/store/trouble.ts";
import { createStoredJobQueue } from "../../src/watch/job-queue.ts";
import { DEFAULT_SCHEDULE } from "../../src/watch/schedule.ts";
import { LABORATORY } from "./healthy-world.ts";
import { ALONE } from "./holders.ts";
import { type MemoryAccessStore, memoryAccessStore } from "./memory-access-store.ts";
import { memoryDescriptionStore } from "./memory-description-store.ts";
import { memoryJobStore } from "./memory-job-store.ts";
import { memoryKeyStore } from "./memory-key-store.ts";
import { type MemoryProvider, memoryProvider, memoryStore } from "./memory-provider.ts";
import { memoryProviderStore } from "./memory-provider-store.ts";
import { memoryTaskStore } from "./memory-task-store.ts";
import { memoryWatchStore } from "./memory-watch-store.ts";
import { tableWorld } from "./table-world.ts";

export const ORIGIN = "https://zonepost.example.net";
export const HOST = "zonepost.example.net";
const START = new Date("2026-11-21T12:00:00Z");

/** Whoever asks. */
export interface Client {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpWorld {
  readonly server: ZonepostServer;
  readonly parts: ServerParts;
  readonly access: MemoryAccessStore;
  readonly provider: MemoryProvider;
  readonly users: Readonly<Record<"anna" | "bert" | "rita" | "admin", User>>;
  /** anonymous, owner, other, reader, administrator, and "token SCOPE" of the administrator. */
  readonly clients: Readonly<Record<string, Client>>;
  readonly logged: string[];
  clock: Date;
  /** Resolves when all that was begun has ended. */
  settle(): Promise<void>;
  ask(
    client: Client,
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; body: unknown; text: string; headers: Readonly<Record<string, unknown>> }>;
  close(): Promise<void>;
}

const zoneOf = (
  name: string,
) => `${name}. 3600 IN SOA ns.${name}. hostmaster.${name}. 1 7200 3600 1209600 3600
${name}. 3600 IN NS ns.${name}.
ns.${name}. 3600 IN A 192.0.2.53
`;

export async function httpWorld(
  overrides: Partial<ServerParts> = {},
  settings: Partial<ServerSettings> = {},
): Promise<HttpWorld> {
  const access = memoryAccessStore();
  const descriptions = memoryDescriptionStore();
  const watch = memoryWatchStore();
  const provider = memoryProvider(zoneOf("anna.example"));
  const random = (count: number) => randomBytes(count);
  const master = readMasterKey(Buffer.alloc(32).map((_, at) => at));
  if (!master.ok) throw new Error(master.problem);
  const logged: string[] = [];
  const state = { clock: START };
  const now = () => state.clock;
  const zones = zoneOf("anna.example") + zoneOf("bert.example") + zoneOf("admin.example");
  const tasks = memoryTaskStore();
  const openQueue = () =>
    createStoredJobQueue({
      store: memoryJobStore(),
      now: () => new Date(),
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
      newId: randomUUID,
      onTrouble: (trouble) => logged.push(trouble),
    });
  const [looks, publishes] = [openQueue(), openQueue()];
  const queue: ServerParts["queue"] = {
    add: (kind, ...rest) => (kind === "publish-task" ? publishes : looks).add(kind, ...rest),
    givenUp: (limit) => looks.givenUp(limit),
  };
  const parts: ServerParts = {
    access,
    descriptions,
    watch,
    keys: memoryKeyStore(),
    publish: memoryStore(),
    providers: memoryProviderStore(),
    world: () => tableWorld({ zone: zones }),
    tasks,
    queue,
    schedule: DEFAULT_SCHEDULE,
    checksPerSecond: 20,
    alerts: { channels: [], tell: async () => {}, tryOut: async () => ({ status: "accepted" }) },
    metrics: () => "",
    checkOptions: { dkimSelectors: [], assumePublic: LABORATORY },
    descriptionFile: undefined,
    publishEntries: [
      {
        provider: "zone-file",
        file: "unused",
        fragment: false,
        zones: undefined,
        check: undefined,
        reload: undefined,
      },
    ],
    openProvider: async () => provider,
    sealKey: () => master.value,
    box: createSecretBox(createSecretKey(Buffer.alloc(32, 7)), random),
    makeKeyPair: (kind) => generateDkimKeyPair(kind.algorithm === "rsa" ? { algorithm: "ed25519" } : kind),
    passkeys: undefined,
    identity: undefined,
    setupLink: undefined,
    about: () => ({
      settingsFile: "zonepost-server.yaml",
      settings: [{ name: "log", value: "info", kind: "usual", variable: "ZONEPOST_LOG" }],
      version: "1",
      runtime: "Node.js",
      stateDirectory: undefined,
    }),
    saveState: async () => ({ octets: 5, content: Readable.from([Buffer.from("state")]) }),
    pages: undefined,
    now,
    random,
    sleep: (milliseconds) => sleep(Math.min(milliseconds, 2)),
    wait: (milliseconds) => sleep(Math.min(milliseconds, 2)),
    holders: ALONE,
    every: () => () => {},
    trouble: async () => undefined,
    storeTrouble: (error) => (error instanceof StoreTrouble ? error.kind : undefined),
    logLine: (line) => logged.push(line),
    ...overrides,
  };
  const times = { idleSeconds: 3600, totalSeconds: 36_000 };
  const server = await createServer(parts, {
    origin: ORIGIN,
    trustedProxies: [],
    tls: undefined,
    times,
    logLevel: "info",
    ...settings,
  });

  const { task, "publish-task": publishTask, "look-at-all": lookAtAll } = server.handlers;
  await looks.work({ task, "look-at-all": lookAtAll }, { concurrency: 4 });
  await publishes.work({ "publish-task": publishTask }, { concurrency: 4 });

  const addUser = async (name: string, role: Role): Promise<User> => {
    const user: User = {
      id: `id-of-${name}`,
      name,
      role,
      passwordHash: undefined,
      sealedTotpSecret: undefined,
      totpStep: undefined,
      oidcSubject: undefined,
      createdAt: START,
      disabledAt: undefined,
      revision: 1,
      recoveries: 0,
    };
    await access.addUser(user);
    return user;
  };
  const users = {
    anna: await addUser("anna", "owner"),
    bert: await addUser("bert", "owner"),
    rita: await addUser("rita", "reader"),
    admin: await addUser("admin", "administrator"),
  };
  await descriptions.putCommon(
    { servers: [{ host: "mail.admin.example", addresses: ["192.0.2.25"] }] },
    0,
    START,
  );
  for (const [name, ownerId] of [
    ["anna.example", users.anna.id],
    ["bert.example", users.bert.id],
    ["admin.example", undefined],
  ] as const) {
    const domain = domainName(name);
    await descriptions.putDomain({ domain, content: { domain: name }, ownerId }, 0, START);
    await watch.schedule(domain, ownerId, START);
  }

  const session = async (user: User, name: string): Promise<Client> => {
    const caller = { address: "192.0.2.7", userAgent: "test" };
    const tools = { store: access, now, random, times };
    const secret = (await beginSession(user, caller, true, undefined, tools))!;
    return {
      name,
      headers: {
        cookie: `__Host-zonepost-session=${secret}`,
        "x-csrf-token": csrfToken(secret),
        origin: ORIGIN,
      },
    };
  };
  const token = async (scope: Scope): Promise<[string, Client]> => {
    const wanted = { label: scope, scopes: [scope] };
    const { secret } = (await makeToken(users.admin, wanted, START, random, access))!;
    const name = `token ${scope}`;
    return [name, { name, headers: { authorization: `Bearer ${secret}` } }];
  };
  const clients: Record<string, Client> = {
    anonymous: { name: "anonymous", headers: {} },
    owner: await session(users.anna, "owner"),
    other: await session(users.bert, "other"),
    reader: await session(users.rita, "reader"),
    administrator: await session(users.admin, "administrator"),
    ...Object.fromEntries(await Promise.all(SCOPES.map(token))),
  };

  return {
    server,
    parts,
    access,
    provider,
    users,
    clients,
    logged,
    get clock() {
      return state.clock;
    },
    set clock(at) {
      state.clock = at;
    },
    async ask(client, method, path, body, headers = {}) {
      const response = await server.app.inject({
        method: method as "GET",
        url: path,
        headers: {
          host: HOST,
          ...client.headers,
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { payload: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const isJson = /json/.test(String(response.headers["content-type"] ?? ""));
      return {
        status: response.statusCode,
        body: isJson && response.body !== "" ? JSON.parse(response.body) : undefined,
        text: response.body,
        headers: response.headers,
      };
    },
    async settle() {
      for (;;) {
        if ((await tasks.unfinished()).length === 0) return;
        await sleep(2);
      }
    },
    async close() {
      await server.stop();
      await Promise.all([looks.stop(), publishes.stop()]);
    },
  };
}
