/** A place in a container's file system that is not its image. */
export type ContainerMount =
  | {
      readonly kind: "bind";
      /** Absolute path on the host; it must exist. */
      readonly source: string;
      readonly target: string;
      readonly readOnly: boolean;
    }
  | {
      readonly kind: "volume";
      readonly name: string;
      readonly target: string;
      readonly readOnly: boolean;
    }
  | {
      readonly kind: "tmpfs";
      readonly target: string;
      readonly sizeBytes?: number;
      /** Octal text such as `1777`. */
      readonly mode?: string;
      /** Whether programs may be run from it. Default false. */
      readonly executable?: boolean;
    };

/** A container port reachable at one address of the host; always TCP. */
export interface PublishedPort {
  readonly hostIp: string;
  /** 0 lets the engine choose. */
  readonly hostPort: number;
  readonly containerPort: number;
}

/** Everything we ask of a container. It shows in `docker inspect`: no secrets in it. */
export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `uid:gid` or a name from the image; the image's own user when absent. */
  readonly user?: string;
  readonly entrypoint?: readonly string[];
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  readonly hostname?: string;
  readonly mounts?: readonly ContainerMount[];
  /** A network's name, or `host`, `none`. Default: the engine's own bridge. */
  readonly network?: string;
  readonly ports?: readonly PublishedPort[];
  /** Names without `CAP_`; `ALL` is allowed. */
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  /** Numeric ids or names of supplementary groups. */
  readonly groupAdd?: readonly string[];
  readonly readOnlyRoot?: boolean;
  readonly noNewPrivileges?: boolean;
  readonly pidsLimit?: number;
  readonly memoryBytes?: number;
  /** Whole or fractional processors. */
  readonly cpus?: number;
  /** Default `no`. */
  readonly restart?: "no" | "unless-stopped";
  /** `SIGTERM` when absent. */
  readonly stopSignal?: string;
  /** Seconds between the stop signal and SIGKILL when the engine stops it. */
  readonly stopGraceSeconds?: number;
  /** Runs a small init as process 1, which reaps orphans. */
  readonly init?: boolean;
}

/** Log files are kept small: agents talk a lot and servers are cheap. */
const LOG_CONFIG = { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } };

/** The body of Docker's `POST /containers/create` for a spec; its name goes into the query. */
export function containerBody(spec: ContainerSpec): Record<string, unknown> {
  return withoutUndefined({
    Image: spec.image,
    Labels: spec.labels,
    User: spec.user,
    Entrypoint: spec.entrypoint,
    Cmd: spec.argv,
    Env: spec.env && Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    WorkingDir: spec.workingDir,
    Hostname: spec.hostname,
    ExposedPorts:
      spec.ports &&
      Object.fromEntries(spec.ports.map(({ containerPort }) => [`${containerPort}/tcp`, {}])),
    StopSignal: spec.stopSignal,
    StopTimeout: spec.stopGraceSeconds,
    HostConfig: hostConfig(spec),
  });
}

function hostConfig(spec: ContainerSpec): Record<string, unknown> {
  const mounts = spec.mounts ?? [];
  return withoutUndefined({
    NetworkMode: spec.network,
    PortBindings: spec.ports && portBindings(spec.ports),
    Mounts: mounts.flatMap(engineMount),
    Tmpfs: Object.fromEntries(mounts.flatMap(tmpfsEntry)),
    CapAdd: spec.capAdd,
    CapDrop: spec.capDrop,
    GroupAdd: spec.groupAdd,
    ReadonlyRootfs: spec.readOnlyRoot,
    SecurityOpt: spec.noNewPrivileges ? ["no-new-privileges"] : undefined,
    PidsLimit: spec.pidsLimit,
    Memory: spec.memoryBytes,
    // Equal to Memory: the container gets no swap on top of its limit.
    MemorySwap: spec.memoryBytes,
    NanoCpus: spec.cpus === undefined ? undefined : Math.round(spec.cpus * 1e9),
    RestartPolicy: { Name: spec.restart ?? "no" },
    Init: spec.init,
    LogConfig: LOG_CONFIG,
  });
}

function portBindings(ports: readonly PublishedPort[]): Record<string, unknown> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { hostIp, hostPort, containerPort } of ports) {
    const key = `${containerPort}/tcp`;
    const list = bindings[key] ?? [];
    list.push({ HostIp: hostIp, HostPort: String(hostPort) });
    bindings[key] = list;
  }
  return bindings;
}

function engineMount(mount: ContainerMount): Record<string, unknown>[] {
  switch (mount.kind) {
    case "bind":
      return [
        { Type: "bind", Source: mount.source, Target: mount.target, ReadOnly: mount.readOnly },
      ];
    case "volume":
      return [
        {
          Type: "volume",
          Source: mount.name,
          Target: mount.target,
          ReadOnly: mount.readOnly,
          // What the image has at that place is not wanted in our volumes.
          VolumeOptions: { NoCopy: true },
        },
      ];
    case "tmpfs":
      return [];
  }
}

/** Tmpfs mounts go the older way: only there can they be made executable. */
function tmpfsEntry(mount: ContainerMount): [string, string][] {
  if (mount.kind !== "tmpfs") return [];
  const options = ["rw", "nosuid", "nodev", mount.executable ? "exec" : "noexec"];
  if (mount.sizeBytes !== undefined) options.push(`size=${mount.sizeBytes}`);
  if (mount.mode !== undefined) options.push(`mode=${mount.mode}`);
  return [[mount.target, options.join(",")]];
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
