import type { CallOptions } from "../base/deadline.ts";
import { type AlError, hasCode } from "../base/errors.ts";
import { type ContainerMake, containerMake } from "./container-facts.ts";
import { type ContainerSpec, containerBody } from "./container-spec.ts";
import type { EngineConnection } from "./docker-connection.ts";
import { ContainerJson, ContainerListJson, IdJson, WaitJson } from "./docker-json.ts";

/** Labels to select by; `true` asks only that the label is there. */
export type LabelFilter = Readonly<Record<string, string | true>>;

/** One line of a container listing. */
export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  /** The reference it was created from. */
  readonly image: string;
  readonly imageId: string;
  /** created, running, paused, restarting, removing, exited or dead. */
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since the Unix epoch. */
  readonly createdAt: number;
}

/** What one container is and how it ended. */
export interface ContainerState {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  /** Why it could not be started; empty otherwise. */
  readonly error: string;
  /** RFC 3339; `0001-01-01T00:00:00Z` while it has not happened. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  /** Address in each network, by the network's name. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Id of each network by its name; empty until it has been started. */
  readonly networkIds: Readonly<Record<string, string>>;
  /** Published ports: container port to the host's addresses. */
  readonly ports: Readonly<Record<number, readonly { hostIp: string; hostPort: number }[]>>;
  /** How it was made. */
  readonly make: ContainerMake;
  /** What it runs, its image's parts included. */
  readonly program: ContainerProgram;
}

/** What a container runs, or an image has it run. */
export interface ContainerProgram {
  readonly entrypoint: readonly string[];
  readonly argv: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
}

/** Something with a name was made, or was there before. */
export type Created =
  | { readonly kind: "created"; readonly id: string }
  | { readonly kind: "exists" };

/** The container calls of a DockerClient. */
export interface ContainerCalls {
  /** Containers in any state that carry all these labels, sorted by name. */
  listContainers(labels: LabelFilter, options?: CallOptions): Promise<readonly ContainerSummary[]>;
  /** Running containers in a network, whoever's they are, sorted by name. */
  listNeighbours(network: string, options?: CallOptions): Promise<readonly ContainerSummary[]>;
  /** `exists` when the name is taken, whatever holds it. */
  createContainer(spec: ContainerSpec, options?: CallOptions): Promise<Created>;
  startContainer(container: string, options?: CallOptions): Promise<void>;
  /** Stop signal, then SIGKILL after `graceSeconds` (default: the container's own). */
  stopContainer(
    container: string,
    options?: CallOptions & { readonly graceSeconds?: number },
  ): Promise<void>;
  /** Sends a signal, SIGKILL unless told. */
  killContainer(
    container: string,
    options?: CallOptions & { readonly killSignal?: string },
  ): Promise<void>;
  /** `force` kills it first; `volumes` removes its anonymous volumes too. */
  removeContainer(
    container: string,
    options?: CallOptions & { readonly force?: boolean; readonly volumes?: boolean },
  ): Promise<void>;
  inspectContainer(container: string, options?: CallOptions): Promise<ContainerState | undefined>;
  /** Waits, without a default deadline, until it is not running; returns its exit code. */
  waitContainer(container: string, options?: CallOptions): Promise<number>;
}

/** Container calls over one connection. */
export function containerCalls(connection: EngineConnection): ContainerCalls {
  return { ...lifeCycle(connection), ...inspection(connection) };
}

function lifeCycle(connection: EngineConnection) {
  return {
    async createContainer(spec: ContainerSpec, options: CallOptions = {}): Promise<Created> {
      const what = `create container ${spec.name}`;
      const path = "/containers/create";
      const query = { name: spec.name };
      const request = { method: "POST", path, query, body: containerBody(spec) } as const;
      try {
        const { Id } = await connection.json(what, IdJson, { ...request, ...options });
        return { kind: "created", id: Id };
      } catch (thrown) {
        if (hasCode(thrown, "docker-conflict")) return { kind: "exists" };
        throw thrown;
      }
    },
    async startContainer(container: string, options: CallOptions = {}) {
      const path = `${pathOf(container)}/start`;
      await connection.call(`start ${container}`, { method: "POST", path, ...options });
    },
    async stopContainer(
      container: string,
      { graceSeconds, ...options }: CallOptions & { readonly graceSeconds?: number } = {},
    ) {
      const request = { path: `${pathOf(container)}/stop`, query: { t: graceSeconds } };
      const timeoutMs = ((graceSeconds ?? 60) + 30) * 1000;
      const call = { method: "POST", long: true, timeoutMs, ...request, ...options } as const;
      await settled(connection.call(`stop ${container}`, call), "docker-not-found");
    },
    async killContainer(
      container: string,
      { killSignal = "SIGKILL", ...options }: CallOptions & { readonly killSignal?: string } = {},
    ) {
      const request = { path: `${pathOf(container)}/kill`, query: { signal: killSignal } };
      const call = connection.call(`kill ${container}`, { method: "POST", ...request, ...options });
      await settled(call, "docker-not-found", "docker-conflict");
    },
    async removeContainer(
      container: string,
      options: CallOptions & { readonly force?: boolean; readonly volumes?: boolean } = {},
    ) {
      const { force, volumes: v, ...bounds } = options;
      const request = { path: pathOf(container), query: { force, v } };
      const what = `remove container ${container}`;
      const call = connection.call(what, { method: "DELETE", ...request, ...bounds });
      await settled(call, "docker-not-found");
    },
    async waitContainer(container: string, options: CallOptions = {}) {
      const request = { path: `${pathOf(container)}/wait`, long: true, ...options };
      const what = `wait for ${container}`;
      return (await connection.json(what, WaitJson, { method: "POST", ...request })).StatusCode;
    },
  };
}

function inspection(connection: EngineConnection) {
  return {
    async listContainers(labels: LabelFilter, options: CallOptions = {}) {
      const query = { all: true, filters: labelFilters(labels) };
      const request = { path: "/containers/json", query, ...options };
      return summaries(await connection.json("list containers", ContainerListJson, request));
    },
    async listNeighbours(network: string, options: CallOptions = {}) {
      const query = { filters: JSON.stringify({ network: [network] }) };
      const request = { path: "/containers/json", query, ...options };
      return summaries(await connection.json("list containers", ContainerListJson, request));
    },
    async inspectContainer(container: string, options: CallOptions = {}) {
      const path = `${pathOf(container)}/json`;
      const call = connection.json(`inspect ${container}`, ContainerJson, { path, ...options });
      const found = await settled(call, "docker-not-found");
      return found && containerState(found);
    },
  };
}

function summaries(found: ReturnType<typeof ContainerListJson.parse>): ContainerSummary[] {
  return found
    .map(({ Id, Names, Image, ImageID, State, Labels, Created }) => ({
      id: Id,
      name: (Names[0] ?? "").replace(/^\//, ""),
      image: Image,
      imageId: ImageID,
      state: State,
      labels: Labels,
      createdAt: Created,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function containerState(json: ReturnType<typeof ContainerJson.parse>): ContainerState {
  const { State, Config, NetworkSettings } = json;
  return {
    id: json.Id,
    name: json.Name.replace(/^\//, ""),
    image: Config.Image,
    imageId: json.Image,
    labels: Config.Labels,
    state: State.Status,
    exitCode: State.ExitCode,
    outOfMemory: State.OOMKilled,
    error: State.Error,
    startedAt: State.StartedAt,
    finishedAt: State.FinishedAt,
    restartCount: json.RestartCount,
    addresses: Object.fromEntries(
      Object.entries(NetworkSettings.Networks).map(([name, network]) => [name, network.IPAddress]),
    ),
    networkIds: Object.fromEntries(
      Object.entries(NetworkSettings.Networks).map(([name, network]) => [name, network.NetworkID]),
    ),
    ports: Object.fromEntries(
      Object.entries(NetworkSettings.Ports).map(([port, bindings]) => [
        Number.parseInt(port, 10),
        (bindings ?? []).map(({ HostIp, HostPort }) => ({
          hostIp: HostIp,
          hostPort: Number(HostPort),
        })),
      ]),
    ),
    make: containerMake(json),
    program: programOf(Config),
  };
}

/** What the engine says of a program, as we say it. */
export function programOf(config: {
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
}): ContainerProgram {
  return { entrypoint: config.Entrypoint, argv: config.Cmd, env: config.Env };
}

/** The engine's `filters` parameter for labels. */
export function labelFilters(labels: LabelFilter): string {
  const label = Object.entries(labels).map(([key, value]) =>
    value === true ? key : `${key}=${value}`,
  );
  return JSON.stringify({ label });
}

/** The call's result, or undefined when it failed with one of the codes. */
export async function settled<T>(
  call: Promise<T>,
  ...codes: readonly AlError["code"][]
): Promise<T | undefined> {
  try {
    return await call;
  } catch (thrown) {
    if (codes.some((code) => hasCode(thrown, code))) return undefined;
    throw thrown;
  }
}

function pathOf(container: string): string {
  return `/containers/${encodeURIComponent(container)}`;
}
