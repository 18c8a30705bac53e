import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below those that the system hands out by itself: nobody is given one of these in the meantime. */
const FIRST = 10_240;
const BEHIND_LAST = 32_768;
const MAX_TRIES = 50;

/** A port of 127.0.0.1 at which nobody listens, neither TCP nor UDP. */
export async function freePort(): Promise<number> {
  for (let tries = 0; ; tries++) {
    const port = randomInt(FIRST, BEHIND_LAST);
    try {
      const server = createServer().listen(port, "127.0.0.1");
      await once(server, "listening");
      server.close();
      await once(server, "close");
      const socket = createSocket("udp4").bind(port, "127.0.0.1");
      await once(socket, "listening");
      socket.close();
      await once(socket, "close");
      return port;
    } catch (error) {
      if (tries >= MAX_TRIES) throw error;
    }
  }
}
