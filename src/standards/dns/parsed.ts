/** What every parser of the standards answers: the value, or what is wrong and where. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | Refused;

export interface Refused {
  readonly ok: false;
  /** One plain sentence, without the input's secrets and without a final full stop. */
  readonly problem: string;
  /** Where in the input: characters for text, octets for packets, counted from 0. */
  readonly offset?: number;
}
