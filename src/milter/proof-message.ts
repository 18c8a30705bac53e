/** The mail that a proof sends: plain, and with what careless servers are known to change on the way. */
import type { OctetText } from "../standards/message/header-field.ts";

export interface ProofMessageOptions {
  /** "postmaster@example.org" */
  readonly from: string;
  readonly to: string;
  readonly now: Date;
  /** Lower-case hex that nobody else has; for the Message-ID. */
  readonly token: string;
  /** The domain of the Message-ID. */
  readonly idDomain: string;
}

/** Lines end with CRLF. */
export function proofMessage({ from, to, now, token, idDomain }: ProofMessageOptions): OctetText {
  return [
    `From: Zonepost <${from}>`,
    `To: <${to}>`,
    "Subject: Proof of how this server sends mail",
    `Date: ${now.toUTCString().replace(/GMT$/, "+0000")}`,
    `Message-ID: <prove.${token}@${idDomain}>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=us-ascii",
    "Content-Transfer-Encoding: 7bit",
    "",
    "zonepost mail prove sent this, to see how it arrives. Nobody has to read it.",
    "",
    "The next lines begin with dots, end with blanks, and look like the start of a mailbox entry:",
    ".",
    "..two",
    "two blanks  ",
    "From here on nothing changes.",
    "",
  ].join("\r\n");
}
