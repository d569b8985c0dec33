import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answering, listenAtDoor, type OutsideOptions } from "../../../src/gateway/listen.ts";
import { openDoor } from "../../../src/runtime/open-door.ts";

/** Serves an app as strangers reach it: on a free port of the loopback, through a door. */
export async function serveAtDoor(
  app: Answering,
  options: OutsideOptions = {},
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "al-at-door-"));
  const listening = await listenAtDoor(app, { finishMs: 100, ...options, directory });
  const door = await openDoor({
    ...{ place: { port: 0, host: "127.0.0.1" }, lingerMs: 200 },
    socketPath: join(directory, "outside.sock"),
  });
  return {
    port: door.port,
    async close() {
      await listening.close();
      await door.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
