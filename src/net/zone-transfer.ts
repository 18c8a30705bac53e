/** A whole zone as its server gives it away (AXFR, RFC 5936): what of the stream counts, and when it is complete. */
import { CLASS_IN, type Message, RCODES } from "../standards/dns/message.ts";
import { type DomainName, isWithin } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import type { ResourceRecord } from "../standards/dns/record.ts";

export type TransferStep =
  | { readonly status: "more" }
  | { readonly status: "complete" }
  | { readonly status: "denied"; readonly rcode: number }
  | { readonly status: "broken"; readonly problem: string };

/** The messages of one transfer, in their order. */
export class TransferReading {
  readonly records: ResourceRecord[] = [];
  readonly #zone: DomainName;
  readonly #maxRecords: number;
  #isComplete = false;
  #count = 0;

  constructor(zone: DomainName, maxRecords: number) {
    this.#zone = zone;
    this.#maxRecords = maxRecords;
  }

  take(message: Message): TransferStep {
    if (message.rcode !== RCODES.NOERROR) return { status: "denied", rcode: message.rcode };
    if (message.opcode !== 0 || message.truncated) return broken("a reply that no transfer sends");
    const [question] = message.questions;
    // RFC 5936 §2.2.2: repeated in the first message, and perhaps in the rest
    if (question !== undefined && (question.name !== this.#zone || question.type !== "AXFR")) {
      return broken("an answer to another question");
    }
    for (const record of message.answers) {
      const problem = this.#takeRecord(record);
      if (problem !== undefined) return broken(problem);
    }
    if (message.answers.length === 0) return broken("a message without records");
    return { status: this.#isComplete ? "complete" : "more" };
  }

  #takeRecord({
    name,
    ttlSeconds,
    data,
    classCode = CLASS_IN,
  }: Message["answers"][number]): string | undefined {
    if (this.#isComplete) return "records behind the second SOA";
    if (classCode !== CLASS_IN) return `a record of class ${classCode}`;
    if (++this.#count > this.#maxRecords) return `more than ${this.#maxRecords} records`;
    const record = { name, ttlSeconds, data };
    const [first] = this.records;
    if (first === undefined) {
      // RFC 5936 §2.2: the SOA stands at both ends
      if (data.type !== "SOA" || name !== this.#zone) return "a zone that does not start with its SOA";
      this.records.push(record);
    } else if (data.type === "SOA") {
      if (name !== this.#zone || formatRdata(data) !== formatRdata(first.data))
        return "two different SOA records";
      this.#isComplete = true;
    } else if (isWithin(name, this.#zone)) {
      // What is of another zone is not this server's to tell; some send it along.
      this.records.push(record);
    }
    return undefined;
  }
}

function broken(problem: string): TransferStep {
  return { status: "broken", problem };
}
