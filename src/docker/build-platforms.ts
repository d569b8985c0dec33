import { connect } from "node:http2";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type CallOptions, withDeadline } from "../base/deadline.ts";
import type { DockerClient } from "./docker-client.ts";
import { bytesOf, readFields, textOf } from "./protobuf.ts";

const TIMEOUT_MS = 15_000;
/** Of a gRPC message: one byte for compression, four for the length. */
const PREFIX_BYTES = 5;

/**
 * Architectures for which an engine builds and runs Linux programs, in Docker's words: its own, and those
 * it emulates. An engine whose BuildKit does not answer counts as emulating nothing.
 */
export async function buildArchitectures(
  docker: DockerClient,
  { signal }: CallOptions = {},
): Promise<readonly string[]> {
  const { architecture } = await docker.engineInfo({ signal });
  const listed = await workerArchitectures(docker, { signal }).catch(() => []);
  signal?.throwIfAborted();
  return [...new Set([architecture, ...listed])];
}

/**
 * The same as BuildKit lists them, which tests what the kernel starts: beside its own what binfmt_misc hands
 * to an emulator, as Docker Desktop does for both of ours.
 */
export async function workerArchitectures(
  docker: DockerClient,
  { signal }: CallOptions = {},
): Promise<readonly string[]> {
  const bounds = { signal, timeoutMs: TIMEOUT_MS };
  return withDeadline(`${docker.host}: ask BuildKit`, bounds, async (inner) =>
    linuxArchitectures(await listWorkers(await docker.openBuildKit({ signal: inner }))),
  );
}

/** Calls `moby.buildkit.v1.Control/ListWorkers` of https://github.com/moby/buildkit without arguments. */
async function listWorkers(socket: Duplex): Promise<Buffer> {
  const session = connect("http://buildkit", { createConnection: () => socket });
  session.on("error", () => {});
  try {
    const call = session.request({
      ":method": "POST",
      ":path": "/moby.buildkit.v1.Control/ListWorkers",
      "content-type": "application/grpc",
      te: "trailers",
    });
    call.end(Buffer.alloc(PREFIX_BYTES));
    return (await buffer(call)).subarray(PREFIX_BYTES);
  } finally {
    session.destroy();
    socket.destroy();
  }
}

/** ListWorkersResponse: worker 1; WorkerRecord: platform 3; Platform: architecture 1, operating system 2. */
function linuxArchitectures(response: Buffer): string[] {
  return bytesOf(readFields(response), 1)
    .flatMap((worker) => bytesOf(readFields(worker), 3))
    .map(readFields)
    .filter((platform) => textOf(platform, 2) === "linux")
    .map((platform) => textOf(platform, 1));
}
