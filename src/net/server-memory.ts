/** What past replies teach about servers: whom to ask first, whom to leave alone for a while. */
import { formatServerAddress, type ServerAddress } from "./server-address.ts";

interface Experience {
  /** Smoothed as TCP does it (RFC 6298 §2): seven parts old, one part new. */
  smoothedMilliseconds: number;
  /** Silences in a row. */
  silences: number;
  avoidUntil: number;
}

const MAX_SERVERS = 20_000;
const SILENCES_TO_AVOID = 2;
const AVOID_MILLISECONDS = 30_000;
/** An unknown server ranks as a near one, so that each gets its chance. */
const UNKNOWN_MILLISECONDS = 20;

export class ServerMemory {
  readonly #servers = new Map<string, Experience>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  answered(server: ServerAddress, milliseconds: number): void {
    const known = this.#servers.get(formatServerAddress(server));
    if (known === undefined) return this.#learn(server, milliseconds, 0);
    known.smoothedMilliseconds =
      known.smoothedMilliseconds < 0 ? milliseconds : (7 * known.smoothedMilliseconds + milliseconds) / 8;
    known.silences = 0;
    known.avoidUntil = 0;
  }

  wasSilent(server: ServerAddress): void {
    const known = this.#servers.get(formatServerAddress(server));
    this.#learn(server, known?.smoothedMilliseconds ?? -1, (known?.silences ?? 0) + 1);
  }

  isAvoided(server: ServerAddress): boolean {
    const known = this.#servers.get(formatServerAddress(server));
    return known !== undefined && known.avoidUntil > 0 && this.#now() < known.avoidUntil;
  }

  /** Near ones first, those that fell silent last; equals by `chance` (0 to 1), to spread the load. */
  inOrder<S extends ServerAddress>(servers: readonly S[], chance: () => number = Math.random): readonly S[] {
    if (servers.length < 2) return servers;
    const ranked = servers.map((server) => ({ server, rank: this.#rank(server) * (0.75 + chance() / 2) }));
    return ranked.sort((x, y) => x.rank - y.rank).map(({ server }) => server);
  }

  #rank(server: ServerAddress): number {
    const known = this.#servers.get(formatServerAddress(server));
    if (known === undefined) return UNKNOWN_MILLISECONDS;
    if (this.#now() < known.avoidUntil) return Number.MAX_SAFE_INTEGER;
    const milliseconds = known.smoothedMilliseconds < 0 ? UNKNOWN_MILLISECONDS : known.smoothedMilliseconds;
    return (milliseconds + 1) * 4 ** known.silences;
  }

  #learn(server: ServerAddress, smoothedMilliseconds: number, silences: number): void {
    if (this.#servers.size >= MAX_SERVERS) this.#servers.clear();
    const avoidUntil = silences >= SILENCES_TO_AVOID ? this.#now() + AVOID_MILLISECONDS : 0;
    this.#servers.set(formatServerAddress(server), { smoothedMilliseconds, silences, avoidUntil });
  }
}
