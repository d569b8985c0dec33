import { AlError, toAlError } from "../base/errors.ts";
import type { HostAddress } from "../core/desired.ts";
import { coalesce } from "../docker/coalesce.ts";
import { type DockerClient, openDocker } from "../docker/docker-client.ts";
import { openLocal } from "../transport/local.ts";
import type { Transport } from "../transport/transport.ts";

/** The engines that images are built on. */
export interface Builders {
  /**
   * This machine's engine, or a host's over a connection that stays open from build to build.
   * @throws AlError that names the builder; `builder-unreachable` when it does not answer.
   */
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

  async function open(key: string, builder: HostAddress, signal: AbortSignal | undefined) {
    const way = await connect(builder, { signal }).catch((thrown) => {
      throw signal?.aborted ? thrown : noBuilder(builder.host, toAlError(thrown));
    });
    const made = { transport: way, docker: openDocker(way) };
    remote.set(key, made);
    const forget = () => {
      if (remote.get(key) === made) remote.delete(key);
    };
    way.lost.then(forget, forget);
    return made;
  }

  return {
    async engine(builder, { signal } = {}) {
      // A local host is this machine: its engine is where the operator's DOCKER_HOST says.
      if (!builder || builder.provider === "local") return local.docker;
      const key = `${builder.host} ${builder.user}@${builder.address}:${builder.port}`;
      const known = remote.get(key);
      if (known) return known.docker;
      const made = await coalesce({ owner: remote, name: key, signal }, () =>
        open(key, builder, signal),
      );
      return made.docker;
    },
    close() {
      for (const engine of [local, ...remote.values()]) end(engine);
      remote.clear();
    },
  };
}

/** An error of its own: the host whose images were to be built is not the one that does not answer. */
function noBuilder(host: string, cause: AlError): AlError {
  const { code, blame, message, hint } = cause;
  const instead = `To build elsewhere, set builder in [images] of config.toml; then: al apply`;
  return new AlError(`no image can be built on host ${host}, the builder: ${message}`, {
    code: code === "unreachable" ? "builder-unreachable" : code,
    blame,
    hint: hint === undefined ? instead : `${hint} ${instead}`,
    cause,
  });
}
