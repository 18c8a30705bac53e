/** A certificate with its key, before anything is served with them. */
import { createSecureContext } from "node:tls";

/** Throws where they cannot be read, or do not belong together. */
export function requirePair(pair: { readonly cert: string; readonly key: string }): void {
  createSecureContext(pair);
}
