import type { CallOptions } from "../base/deadline.ts";
import type { Architecture } from "../core/desired.ts";
import type { Transport } from "../transport/transport.ts";
import { type ContainerCalls, containerCalls } from "./container-calls.ts";
import { openConnection } from "./docker-connection.ts";
import { EngineInfoJson } from "./docker-json.ts";
import { type ImageCalls, imageCalls } from "./image-calls.ts";
import { type NetworkCalls, networkCalls } from "./network-calls.ts";
import { type StreamCalls, streamCalls } from "./stream-calls.ts";

/** What an engine says of itself. */
export interface EngineInfo {
  /** Made when the engine first started; machines made from one disk image may share it. */
  readonly id: string;
  readonly serverVersion: string;
  /** The version of the API we speak with it: the newest both sides know. */
  readonly apiVersion: string;
  readonly architecture: Architecture;
  /** How images are stored; each kind accepts another archive form. */
  readonly imageStore: "classic" | "containerd";
  readonly dockerRootDir: string;
  /** Running containers survive a restart of the engine. */
  readonly liveRestore: boolean;
}

/**
 * One Docker engine, reached through a transport.
 *
 * Names or ids identify containers. Removing, stopping or killing what is not there is success;
 * inspecting it gives undefined; every other call on it throws `docker-not-found`.
 * Every call has a deadline (30 s unless told) and throws AlError with codes `docker-missing`,
 * `docker-permission`, `docker-down`, `docker-not-found`, `docker-conflict`, `disk-full`,
 * `docker-failed`, `docker-refused`, or those of the transport.
 */
export interface DockerClient extends ContainerCalls, StreamCalls, NetworkCalls, ImageCalls {
  /** The host's name in the fleet, for messages. */
  readonly host: string;
  /** Path of the engine's socket on the host. */
  readonly socketPath: string;
  engineInfo(options?: CallOptions): Promise<EngineInfo>;
  /** Drops the connections to the engine; the transport stays open. Idempotent. */
  close(): void;
}

/** Options of {@link openDocker}. */
export interface DockerOptions {
  /** Path of the engine's socket on the host. Default `/var/run/docker.sock`. */
  readonly socketPath?: string | undefined;
}

/** A client for the engine of the transport's machine. Nothing is sent before the first call. */
export function openDocker(
  transport: Transport,
  { socketPath = "/var/run/docker.sock" }: DockerOptions = {},
): DockerClient {
  const connection = openConnection(transport, socketPath);
  return {
    host: transport.host,
    socketPath,
    ...containerCalls(connection),
    ...streamCalls(connection),
    ...networkCalls(connection),
    ...imageCalls(connection),
    async engineInfo(options = {}) {
      const [engine, info] = await Promise.all([
        connection.engine(options),
        connection.json("read engine information", EngineInfoJson, { path: "/info", ...options }),
      ]);
      return {
        id: info.ID,
        serverVersion: engine.serverVersion,
        apiVersion: engine.apiVersion,
        architecture: engine.architecture,
        imageStore: info.DriverStatus.some(([key]) => key === "driver-type")
          ? "containerd"
          : "classic",
        dockerRootDir: info.DockerRootDir,
        liveRestore: info.LiveRestoreEnabled,
      };
    },
    close: () => connection.close(),
  };
}
