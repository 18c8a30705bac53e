/** A `KeyStore` that answers at once, or later: who works with keys waits for either. */
import type { KeyStore } from "./key-store.ts";

type Later<F> = F extends (...given: infer A) => infer R ? (...given: A) => R | Promise<Awaited<R>> : never;

export type AnyKeyStore = { readonly [M in keyof KeyStore]: Later<KeyStore[M]> };
