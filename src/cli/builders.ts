import type { HostAddress } from "../core/desired.ts";
import { type DockerClient, openDocker } from "../docker/docker-client.ts";
import { openLocal } from "../transport/local.ts";
import type { Transport } from "../transport/transport.ts";

/** The engines that images are built on. */
export interface Builders {
  /** This machine's engine, or a host's over a connection that stays open from build to build. */
  engine(
    builder: HostAddress | undefined,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<DockerClient>;
  close(): void;
}

/** What {@link openBuilders} is given. */
export interface BuildersOptions {
  /** Socket of this machine's engine. */
  readonly socketPath: string;
  /** The way to hosts; refuses one whose key is not approved. */
  readonly connect: (
    address: HostAddress,
    options: { signal?: AbortSignal | undefined },
  ) => Promise<Transport>;
}

interface Engine {
  readonly docker: DockerClient;
  readonly transport: Transport;
}

/** Engines to build on; connects to a host when the first image is asked of it. */
export function openBuilders({ socketPath, connect }: BuildersOptions): Builders {
  const transport = openLocal({ host: "this machine" });
  const local: Engine = { transport, docker: openDocker(transport, { socketPath }) };
  const remote = new Map<string, Engine>();
  const end = ({ docker, transport: way }: Engine) => {
    docker.close();
    void way.close();
  };
  return {
    async engine(builder, options = {}) {
      if (!builder) return local.docker;
      const key = `${builder.host} ${builder.user}@${builder.address}:${builder.port}`;
      const open = remote.get(key);
      if (open) return open.docker;
      const way = await connect(builder, options);
      const made = { transport: way, docker: openDocker(way) };
      remote.set(key, made);
      const forget = () => {
        if (remote.get(key) === made) remote.delete(key);
      };
      way.lost.then(forget, forget);
      return made.docker;
    },
    close() {
      for (const engine of [local, ...remote.values()]) end(engine);
      remote.clear();
    },
  };
}
