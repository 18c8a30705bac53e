/** HTTP as the providers' APIs need it: an interface, so that net/ makes the connections and tests stand in. */

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type HttpOutcome =
  | {
      readonly status: "answered";
      readonly httpStatus: number;
      /** Names in lower case. */
      readonly headers: Readonly<Record<string, string>>;
      /** At most 16 MiB. */
      readonly body: string;
    }
  /** `sent`: the request may have been carried out all the same. */
  | { readonly status: "failed"; readonly detail: string; readonly sent: boolean };

/** No redirects, a deadline, certificates checked. Never rejects. */
export type HttpClient = (request: HttpRequest) => Promise<HttpOutcome>;
