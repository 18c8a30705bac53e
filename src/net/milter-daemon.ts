/** A milter as a program that stays: in one process or several, until it is told to end. */
import type { MilterAddress } from "../milter/address.ts";
import type { MetricCounts } from "../milter/metrics.ts";
import type { SessionOwner } from "../milter/session.ts";
import { startMetricsServer } from "./metrics-server.ts";
import {
  type MilterServerOptions,
  openSocketPlace,
  type ServedSession,
  startMilterServer,
  startSharedMilterServer,
} from "./milter-server.ts";
import { isCrewMember, reportFailure, SOCKET_VARIABLE, serveInCrew, startCrew } from "./milter-workers.ts";

/** What one process does with its connections. */
export interface DaemonService {
  createSession(owner: SessionOwner): ServedSession;
  /** A connection was one too many. */
  refused(): void;
  reload(): void | Promise<void>;
  counts(connections: number): MetricCounts;
  /** Nothing more comes. */
  close(): Promise<void>;
}

export interface DaemonOptions {
  readonly address: MilterAddress;
  /** Of the socket file. */
  readonly mode: number;
  readonly groupId?: number;
  readonly processes: number;
  /** Called in each process that takes connections. */
  readonly openService: () => Promise<DaemonService>;
  readonly graceMilliseconds: number;
  readonly metrics?: {
    readonly address: string;
    readonly port: number;
    /** The page for the counts of all processes. */
    readonly format: (counts: readonly MetricCounts[], processes: number) => string;
  };
  /** Once connections are taken. */
  readonly onListening: (processes: number) => void;
  readonly onTrouble: (text: string) => void;
  /** Resolves when it is time to end. */
  readonly untilInterrupted: () => Promise<void>;
}

/** What is left when the grace is over ends at once; nobody is to wait for long behind that. */
const AFTER_GRACE_MILLISECONDS = 5_000;

/** Ends when all is done. Rejects where it cannot listen, or the service cannot be had. */
export async function runMilterDaemon(options: DaemonOptions): Promise<void> {
  if (isCrewMember()) return await serveAsMember(options);
  const begun = Promise.withResolvers<Running>();
  // Heard from the first moment on: who asks for it while the daemon begins must not end it by that.
  const reload = () => void begun.promise.then((running) => running.reload());
  process.on("SIGHUP", reload);
  let isInterrupted = false;
  const interrupted = options.untilInterrupted().then(() => {
    isInterrupted = true;
  });
  try {
    const starting = options.processes === 1 ? runAlone(options) : runCrew(options);
    const running = await starting.catch((error: unknown) => {
      // Whoever ends a whole group of processes while it begins ends the others first: that is no failure.
      if (!isInterrupted) throw error;
    });
    if (running === undefined) return;
    try {
      const { metrics } = options;
      const page = metrics && (() => metrics.format(running.counts(), running.processes()));
      const server = metrics && page && (await startMetricsServer(metrics, page));
      begun.resolve(running);
      options.onListening(options.processes);
      await interrupted;
      await server?.close();
    } finally {
      await running.stop();
    }
  } finally {
    process.off("SIGHUP", reload);
  }
}

interface Running {
  readonly reload: () => void;
  readonly counts: () => readonly MetricCounts[];
  readonly processes: () => number;
  readonly stop: () => Promise<void>;
}

function serverOptions(service: DaemonService, options: DaemonOptions): MilterServerOptions {
  const { address, mode, groupId, onTrouble } = options;
  return {
    address,
    mode,
    ...(groupId !== undefined && { groupId }),
    createSession: (owner) => service.createSession(owner),
    onRefused: () => service.refused(),
    onSocketError: (error) => onTrouble(`a connection broke off: ${error.message}`),
  };
}

async function runAlone(options: DaemonOptions): Promise<Running> {
  const service = await options.openService();
  const server = await startMilterServer(serverOptions(service, options)).catch(async (error: unknown) => {
    await service.close();
    throw error;
  });
  return {
    reload: () => service.reload(),
    counts: () => [service.counts(server.connections)],
    processes: () => 1,
    stop: async () => {
      await server.close({ graceMilliseconds: options.graceMilliseconds });
      await service.close();
    },
  };
}

async function runCrew(options: DaemonOptions): Promise<Running> {
  const { address, processes, onTrouble, graceMilliseconds } = options;
  const place = address.kind === "unix" ? await openSocketPlace(address.path, options) : undefined;
  const onSocket = async () => await place?.put();
  const crew = await startCrew({ size: processes, madePath: place?.made, onSocket, onTrouble }).catch(
    async (error: unknown) => {
      await place?.leave();
      throw error;
    },
  );
  return {
    reload: () => crew.reload(),
    counts: () => crew.counts(),
    processes: () => crew.alive,
    stop: async () => {
      await place?.leave();
      await crew.stop(graceMilliseconds + AFTER_GRACE_MILLISECONDS);
    },
  };
}

async function serveAsMember(options: DaemonOptions): Promise<void> {
  try {
    await serveInCrew(async () => {
      const service = await options.openService();
      const madePath = process.env[SOCKET_VARIABLE];
      const server = await startSharedMilterServer(serverOptions(service, options), madePath);
      return {
        reload: () => service.reload(),
        counts: () => service.counts(server.connections),
        stop: async () => {
          await server.close({ graceMilliseconds: options.graceMilliseconds });
          await service.close();
        },
      };
    });
  } catch (error) {
    // The first process says it, once.
    await reportFailure((error as Error).message);
  }
}
