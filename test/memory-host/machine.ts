import type { AlError } from "../../src/base/errors.ts";
import type { ContainerFacts } from "../../src/core/container-facts.ts";
import type { Architecture } from "../../src/core/desired.ts";
import { LABELS } from "../../src/core/names.ts";
import type { Current, NetworkSpec } from "../../src/core/observed.ts";

/** A container as the engine has it; `labels` decide whose it is. */
export interface MemoryContainer {
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly network?: string | undefined;
  /** The very network it joined when it was started; another of the same name is none of its own. */
  joined?: MemoryNetwork | undefined;
  /** What it was made as; runtimes only. */
  facts?: ContainerFacts | undefined;
  state: string;
}

/** A network as the engine has it. */
export interface MemoryNetwork extends NetworkSpec {
  readonly labels: Readonly<Record<string, string>>;
  readonly betweenContainers?: boolean | undefined;
}

/** The single files of a project's directory that passes write. */
export type FileName = "key" | "current" | "inventory";

/** A project's directory. Texts are what the files hold, so that they can be damaged. */
export interface MemoryProject {
  key: string | undefined;
  current: string | undefined;
  inventory: string | undefined;
  /** `stopped.json`, while an operator keeps the project's runtime stopped. */
  stopped?: string | undefined;
  /** Release hash to path to content. */
  readonly releases: Map<string, Map<string, string>>;
  /** Set hash to `type/instance/field` to value. */
  readonly credentials: Map<string, Map<string, Buffer>>;
  /** `releases/HASH` or `credentials/HASH` to what is odd about it. */
  readonly oddities: Map<string, string>;
  /** Names of leftovers, relative: `releases/.tmp-1`. */
  readonly temporary: Set<string>;
  /** Whether the directory that a door sees is there. */
  hasDoorDirectory?: boolean;
  /** Whether the directory that an ingress sees is there. */
  hasIngressDirectory?: boolean;
  /** Public names that have a directory for certificates. */
  readonly certificates: Set<string>;
  /** The file that cannot be written, as on a full disk. */
  blocked?: FileName | undefined;
  /** Relative paths that somebody else put there. */
  readonly strangers?: Set<string>;
}

/** Who holds a project's lock, and how that can end. */
export interface MemoryLock {
  readonly holder: string;
  lose(reason: AlError): void;
  readonly freed: Promise<void>;
}

/** One machine in memory: a home directory, a Docker engine, a host key. */
export interface Machine {
  readonly host: string;
  architecture: Architecture;
  hostKey: string;
  unreachable: boolean;
  readonly projects: Map<string, MemoryProject>;
  readonly containers: Map<string, MemoryContainer>;
  /** Reference to labels. */
  readonly images: Map<string, Readonly<Record<string, string>>>;
  readonly networks: Map<string, MemoryNetwork>;
  readonly locks: Map<string, MemoryLock>;
  /** Looks at a live runtime until it is ready; `never` makes it stay unready. */
  readiness: (current: Current) => number | "never";
  /** Looks so far, by what is live. */
  readonly looks: Map<string, number>;
  /** Whether the network's rules are in place, as the live runtime finds when it is asked to look. */
  rules: "in-place" | "missing";
  /** Projects whose network rules are on the machine: put there by the first runtime that starts. */
  readonly ruled: Set<string>;
  /** Connections that are open. */
  connections: number;
}

/** A machine with Docker, sshd and nothing else. */
export function createMachine(host: string): Machine {
  return {
    host,
    architecture: "amd64",
    hostKey: `SHA256:key-of-${host}`,
    unreachable: false,
    projects: new Map(),
    containers: new Map(),
    images: new Map(),
    networks: new Map(),
    locks: new Map(),
    readiness: () => 0,
    looks: new Map(),
    rules: "in-place",
    ruled: new Set(),
    connections: 0,
  };
}

/** Where a project's directory lies on every machine. */
export function projectDirOf(project: string): string {
  return `/home/al/.action-llama/projects/${project}`;
}

/** The project's directory, made when it is missing, as `mkdir -p` does. */
export function projectOn(machine: Machine, project: string): MemoryProject {
  const found = machine.projects.get(project);
  if (found) return found;
  const made: MemoryProject = {
    key: undefined,
    current: undefined,
    inventory: undefined,
    releases: new Map(),
    credentials: new Map(),
    certificates: new Set(),
    oddities: new Map(),
    temporary: new Set(),
    strangers: new Set(),
  };
  machine.projects.set(project, made);
  return made;
}

/** What `al stop` comes to: the marker first, then no runtime of the project runs. */
export function stopByOperator({ projects, containers }: Machine, project: string): void {
  const files = projects.get(project);
  if (!files) return;
  files.stopped ??= '{"by":"ann@laptop","since":1769893445000}';
  for (const container of containers.values()) {
    const { labels, state } = container;
    const isRuntime = labels[LABELS.project] === project && labels[LABELS.role] === "runtime";
    if (isRuntime && state === "running") container.state = "exited";
  }
}

/** What `al start` comes to, before it starts anything. */
export function startByOperator({ projects }: Machine, project: string): void {
  const files = projects.get(project);
  if (files) files.stopped = undefined;
}

/** Everything on a machine that a project does not own, as JSON, for comparing. */
export function foreignState(machine: Machine, project: string): string {
  const isForeign = ({ labels }: { readonly labels: Readonly<Record<string, string>> }) =>
    labels[LABELS.project] !== project;
  const byName = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({
    ruled: [...machine.ruled].filter((name) => name !== project),
    containers: byName(machine.containers).filter(([, container]) => isForeign(container)),
    networks: byName(machine.networks).filter(([, network]) => isForeign(network)),
    images: byName(machine.images).filter(
      ([reference, labels]) =>
        !reference.startsWith(`al-${project}/`) || labels[LABELS.specHash] === undefined,
    ),
    projects: byName(machine.projects)
      .filter(([name]) => name !== project)
      .map(([name, { releases, credentials, ...rest }]) => {
        return [name, [...releases.keys()], [...credentials.keys()], rest];
      }),
  });
}
