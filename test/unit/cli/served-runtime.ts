import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { PassThrough } from "node:stream";
import type { LiveRuntime } from "../../../src/cli/commands/live-runtime.ts";
import type { DockerClient } from "../../../src/docker/docker-client.ts";
import { openControl } from "../../../src/host/control.ts";

/** A runtime that answers over real connections. */
export interface ServedRuntime {
  readonly live: LiveRuntime;
  readonly control: ReturnType<typeof openControl>;
  close(): Promise<void>;
}

/** Serves a runtime's control API with this; where `docker exec` would carry bytes, a TCP connection does. */
export async function serveRuntime(answer: RequestListener): Promise<ServedRuntime> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const exec = async () => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return { stdin: socket, stdout: socket, stderr: new PassThrough() };
  };
  const docker = { host: "one", exec } as unknown as DockerClient;
  const control = openControl(docker);
  const live = { connection: { control, docker }, observed: { host: "one" }, runtime: "al-p-1" };
  return {
    ...{ control, live: live as never },
    async close() {
      control.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
