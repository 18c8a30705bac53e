/** What is sent only once nobody has taken it back: at the latest when the page or the session is left. */

const waiting = new Set<() => Promise<void>>();

interface Postponed {
  /** Sends it, if that has not happened yet. */
  readonly now: () => Promise<void>;
  readonly never: () => void;
}

export function postpone(send: () => Promise<void>): Postponed {
  const now = async () => {
    if (waiting.delete(now)) await send();
  };
  waiting.add(now);
  return { now, never: () => void waiting.delete(now) };
}

export async function sendPostponed(): Promise<void> {
  await Promise.all([...waiting].map((send) => send()));
}

window.addEventListener("pagehide", () => void sendPostponed());
