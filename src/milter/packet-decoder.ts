/**
 * Packets out of chunks of any size. A packet that lies whole inside a chunk is read where it lies; one that spans
 * chunks is put together in one buffer, which is used again.
 */

/**
 * A body chunk has at most 1 MiB less one octet where SMFIP_MDS_1M is agreed on, 64 KiB elsewhere; Postfix sends a
 * header field of any length that its header_size_limit allows (100 KiB) in one packet.
 */
export const MAX_PACKET_OCTETS = 1_048_576;
const LENGTH_OCTETS = 4;
const SMALL_BUFFER_OCTETS = 131_072;
const EMPTY = Buffer.alloc(0);

export class PacketError extends Error {
  override readonly name = "PacketError";
}

export class PacketDecoder {
  /** Of the packet that `next` found. The data are `source` from `start` to `end`, until `next`, `feed` or `keep`. */
  command = 0;
  source: Buffer = EMPTY;
  start = 0;
  end = 0;

  #chunk: Buffer = EMPTY;
  #chunkAt = 0;
  /** What came before the chunk and is not read yet: #held from #heldAt to #heldEnd. */
  #held: Buffer = EMPTY;
  #heldAt = 0;
  #heldEnd = 0;

  /** Octets that are kept since nobody has read them. */
  get backlog(): number {
    return this.#heldEnd - this.#heldAt;
  }

  /** The chunk is read by `next`; before its owner changes it, `keep` takes over what is left. */
  feed(chunk: Uint8Array): void {
    this.#chunk = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#chunkAt = 0;
  }

  keep(): void {
    this.#take(this.#chunk.length - this.#chunkAt);
    this.#chunk = EMPTY;
    this.#chunkAt = 0;
    // What the last packet was in is nobody's now.
    this.source = EMPTY;
    if (this.backlog === 0 && this.#held.length > SMALL_BUFFER_OCTETS) this.#held = EMPTY;
  }

  /** Whether there is another whole packet. Throws a PacketError where there will be none. */
  next(): boolean {
    if (this.#heldEnd > this.#heldAt) return this.#nextHeld();
    const at = this.#chunkAt;
    const left = this.#chunk.length - at;
    if (left < LENGTH_OCTETS) return false;
    const octets = LENGTH_OCTETS + checkedLength(this.#chunk, at);
    if (left < octets) return false;
    this.#chunkAt = at + octets;
    this.#found(this.#chunk, at, octets);
    return true;
  }

  /** The next packet's command, whole or not, without reading it; undefined where it is not here yet. */
  peekCommand(): number | undefined {
    if (this.#heldEnd > this.#heldAt) {
      return this.#hasHeld(LENGTH_OCTETS + 1) ? this.#held[this.#heldAt + LENGTH_OCTETS] : undefined;
    }
    return this.#chunk[this.#chunkAt + LENGTH_OCTETS];
  }

  #nextHeld(): boolean {
    if (!this.#hasHeld(LENGTH_OCTETS)) return false;
    const octets = LENGTH_OCTETS + checkedLength(this.#held, this.#heldAt);
    if (!this.#hasHeld(octets)) return false;
    const at = this.#heldAt;
    this.#heldAt += octets;
    this.#found(this.#held, at, octets);
    return true;
  }

  #found(source: Buffer, at: number, octets: number): void {
    this.command = source[at + LENGTH_OCTETS]!;
    this.source = source;
    this.start = at + LENGTH_OCTETS + 1;
    this.end = at + octets;
  }

  /** Takes of the chunk what is missing and no more: what follows is read where it lies. */
  #hasHeld(octets: number): boolean {
    const missing = octets - this.backlog;
    if (missing > 0) this.#take(Math.min(missing, this.#chunk.length - this.#chunkAt), octets);
    return this.backlog >= octets;
  }

  /** `expected`: what the buffer will have to hold in the end. */
  #take(octets: number, expected = 0): void {
    if (octets === 0) return;
    const held = this.backlog;
    if (held === 0) this.#heldAt = this.#heldEnd = 0;
    if (this.#held.length - this.#heldEnd < octets) this.#makeRoom(held + octets, expected);
    this.#chunk.copy(this.#held, this.#heldEnd, this.#chunkAt, this.#chunkAt + octets);
    this.#heldEnd += octets;
    this.#chunkAt += octets;
  }

  #makeRoom(needed: number, expected: number): void {
    const from = this.#held;
    if (from.length < needed) {
      // Twice what came, whatever length was promised: nobody makes us reserve what he does not send.
      const size = Math.max(
        needed,
        Math.min(expected, 2 * needed),
        Math.min(2 * from.length, SMALL_BUFFER_OCTETS),
      );
      this.#held = Buffer.allocUnsafeSlow(size);
    }
    from.copy(this.#held, 0, this.#heldAt, this.#heldEnd);
    this.#heldEnd -= this.#heldAt;
    this.#heldAt = 0;
  }
}

function checkedLength(source: Buffer, at: number): number {
  const length = source.readUInt32BE(at);
  if (length === 0) throw new PacketError("a packet of length 0, which has no command");
  if (length > MAX_PACKET_OCTETS) {
    throw new PacketError(`a packet of ${length} octets; ${MAX_PACKET_OCTETS} are the most that is taken`);
  }
  return length;
}
