/** Unpredictable numbers for message ids and the choice of sockets (RFC 5452 §9.2), drawn in bulk. */
import { randomFillSync } from "node:crypto";

const pool = new Uint16Array(2048);
let used = pool.length;

/** 16 random bits. */
export function randomUint16(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool[used++]!;
}

/** A random id that `isTaken` does not know. */
export function freshId(taken: ReadonlyMap<number, unknown>): number {
  let id = randomUint16();
  while (taken.has(id)) id = randomUint16();
  return id;
}
