import { randomUUID } from "node:crypto";
import type { CallOptions } from "../base/deadline.ts";
import type { ImageRecipe } from "../core/desired.ts";
import type { DockerClient } from "./docker-client.ts";
import { sendFiles } from "./file-sync.ts";
import { type GrpcHandlers, serveGrpc } from "./grpc-server.ts";
import { numberField } from "./protobuf.ts";

/** An open session: BuildKit fetches from us what a build needs. */
export interface BuildSession {
  /** For the build's `session` parameter. */
  readonly id: string;
  close(): void;
}

const DIFF_COPY = "/moby.filesync.v1.FileSync/DiffCopy";
const HEALTH = "/grpc.health.v1.Health/Check";
const SERVING = numberField(1, 1);

/**
 * Opens a BuildKit session that serves a recipe's files.
 *
 * A context sent as an archive in the request's body would be simpler; engines with the containerd
 * image store cannot read it (https://github.com/moby/moby/issues/47717).
 */
export async function openBuildSession(
  docker: DockerClient,
  recipe: ImageRecipe,
  options: CallOptions = {},
): Promise<BuildSession> {
  const id = randomUUID();
  const socket = await docker.openSession({
    ...options,
    headers: {
      "X-Docker-Expose-Session-Uuid": id,
      "X-Docker-Expose-Session-Name": recipe.image.name,
      // BuildKit keeps files by this key and compares only size and date with those it has.
      "X-Docker-Expose-Session-Sharedkey": recipe.image.specHash,
      "X-Docker-Expose-Session-Grpc-Method": DIFF_COPY,
    },
  });
  const session = serveGrpc(socket, handlers(recipe));
  return {
    id,
    close() {
      session.destroy();
      socket.destroy();
    },
  };
}

function handlers(recipe: ImageRecipe): GrpcHandlers {
  const dockerfile = [
    { path: "Dockerfile", executable: false, content: Buffer.from(recipe.dockerfile) },
  ];
  return {
    [DIFF_COPY]: (call) => {
      if (call.headers["dir-name"] === "dockerfile") return sendFiles(call, dockerfile);
      // BuildKit looks for a `.dockerignore` before it asks for the rest; ours was applied already.
      const isLook = call.headers.followpaths === ".dockerignore";
      return sendFiles(call, isLook ? [] : recipe.context);
    },
    [HEALTH]: (call) => call.send(SERVING),
  };
}
