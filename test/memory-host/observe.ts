import { removedNetwork } from "../../src/core/container-facts.ts";
import { credentialVersion, sha256 } from "../../src/core/fingerprint.ts";
import { LABELS } from "../../src/core/names.ts";
import type {
  Current,
  NetworkSpec,
  ObservedContainer,
  ObservedHost,
  ObservedTree,
  RuntimeReport,
} from "../../src/core/observed.ts";
import { CurrentFile } from "../../src/core/released.ts";
import { parseStopped } from "../../src/core/stopped.ts";
import { parseInventory } from "../../src/host/parse-observation.ts";
import {
  type Machine,
  type MemoryContainer,
  type MemoryNetwork,
  type MemoryProject,
  projectDirOf,
} from "./machine.ts";

/** Looks at one project on a machine, and sees what `src/host/observe.ts` sees. */
export function observeMachine(
  machine: Machine,
  project: string,
  { certain = false } = {},
): ObservedHost {
  const files = machine.projects.get(project);
  const current = parseCurrent(files?.current);
  const containers = [...machine.containers]
    .filter(([, { labels }]) => labels[LABELS.project] === project)
    .map(([name, container]) => observedContainer(machine, name, container));
  const network = machine.networks.get(`al-${project}`);
  // A runtime that nothing names ends; the one that follows puts the rules back.
  if (!current) machine.rules = "in-place";
  const own = network?.labels[LABELS.project] === project ? network : undefined;
  return {
    host: machine.host,
    facts: {
      projectDir: projectDirOf(project),
      uid: 1001,
      gid: 1001,
      dockerSocket: "/var/run/docker.sock",
      dockerGid: 998,
      architecture: machine.architecture,
      dockerVersion: "29.0.0",
      engineId: machine.host,
      imageStore: "containerd",
      dockerFreeBytes: 20e9,
      projectFreeBytes: 20e9,
    },
    credentialKey: files?.key,
    current,
    inventory: parseInventory(machine.host, projectDirOf(project), files?.inventory),
    ...stoppedIn(files),
    releases: files ? releaseTrees(files) : [],
    credentialSets: files ? credentialTrees(files) : [],
    temporary: [...(files?.temporary ?? [])].map((path) => `${projectDirOf(project)}/${path}`),
    images: [...machine.images]
      .filter(([reference]) => reference.startsWith(`al-${project}/`))
      .filter(([, labels]) => labels[LABELS.specHash] !== undefined)
      .map(([reference, labels]) => ({ reference, specHash: labels[LABELS.specHash] ?? "" })),
    containers,
    network: own && networkSpec(own),
    networkTraits: own && {
      driver: "bridge",
      betweenContainers: own.betweenContainers ?? false,
      internal: false,
    },
    neighbours: [...machine.containers]
      .filter(([, { network: name, state }]) => name === own?.name && state === "running")
      .filter(([, { labels }]) => own && labels[LABELS.project] !== project)
      .map(([name]) => name),
    entries: files ? entriesOf(files) : [],
    subnets: [...machine.networks.values()].map(({ subnet }) => subnet),
    runtime: current && withRules(report(machine, current, containers), machine, certain),
  };
}

function stoppedIn(files: MemoryProject | undefined): Pick<ObservedHost, "stopped"> {
  const stopped = parseStopped(files?.stopped);
  return stopped ? { stopped } : {};
}

function entriesOf(files: MemoryProject): string[] {
  const written = Object.entries({
    "credential.key": files.key,
    "current.json": files.current,
    "applied.json": files.inventory,
    "stopped.json": files.stopped,
  }).flatMap(([name, content]) => (content === undefined ? [] : [name]));
  const releases = [...files.releases.keys()].map((hash) => `releases/${hash}`);
  const sets = [...files.credentials.keys()].map((hash) => `credentials/${hash}`);
  const door = files.hasDoorDirectory ? ["door"] : [];
  const ingress = files.hasIngressDirectory ? ["ingress", "certificates"] : [];
  const certificates = [...files.certificates].map((name) => `certificates/${name}`);
  return [
    ...written,
    "releases",
    "credentials",
    ...door,
    ...ingress,
    ...certificates,
    ...releases,
    ...sets,
    ...(files.strangers ?? []),
  ];
}

function withRules(
  found: RuntimeReport | undefined,
  { rules }: Machine,
  certain: boolean,
): RuntimeReport | undefined {
  return found && certain ? { ...found, rules } : found;
}

function parseCurrent(text: string | undefined): Current | undefined {
  if (text === undefined) return undefined;
  try {
    return CurrentFile.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function observedContainer(
  { networks }: Machine,
  name: string,
  container: MemoryContainer,
): ObservedContainer {
  const { labels, image, state, joined, facts } = container;
  const isStale = joined !== undefined && networks.get(joined.name) !== joined;
  const made = facts && isStale ? { ...facts, networks: removedNetwork(facts.networks) } : facts;
  const agent = labels[LABELS.agent];
  const run = labels[LABELS.run];
  return {
    name,
    image,
    state,
    role: labels[LABELS.role] ?? "",
    specHash: labels[LABELS.specHash] ?? "",
    ...(agent === undefined ? {} : { agent }),
    ...(run === undefined ? {} : { run }),
    ...(made === undefined ? {} : { facts: made }),
  };
}

function releaseTrees({ releases, oddities }: MemoryProject): ObservedTree[] {
  return treesOf("releases", releases, { oddities, hashOf: sha256 });
}

function credentialTrees(files: MemoryProject): ObservedTree[] {
  const { key, credentials, oddities } = files;
  const version = (value: Buffer) => credentialVersion(key ?? "", value);
  const trees = treesOf("credentials", credentials, { oddities, hashOf: version });
  return key === undefined ? trees.map((tree) => ({ ...tree, files: [] })) : trees;
}

function treesOf<T>(
  kind: "releases" | "credentials",
  trees: ReadonlyMap<string, ReadonlyMap<string, T>>,
  by: { readonly oddities: ReadonlyMap<string, string>; readonly hashOf: (content: T) => string },
): ObservedTree[] {
  return [...trees].map(([name, contents]) => {
    const oddity = by.oddities.get(`${kind}/${name}`);
    const files = [...contents].map(([path, content]) => ({ path, hash: by.hashOf(content) }));
    return { name, files, oddities: oddity === undefined ? [] : [oddity] };
  });
}

function networkSpec({ name, bridge, subnet, gateway }: MemoryNetwork): NetworkSpec {
  return { name, bridge, subnet, gateway };
}

/** The live runtime needs some looks until it answers as ready, if it ever does. */
function report(
  machine: Machine,
  current: Current,
  containers: readonly ObservedContainer[],
): RuntimeReport | undefined {
  const live = containers.find(({ name }) => name === current.runtime);
  if (live?.state !== "running") return undefined;
  const { release, credentials, revision, runtime } = current;
  const identity = `${runtime} ${release} ${credentials}`;
  const looks = machine.looks.get(identity) ?? 0;
  machine.looks.set(identity, looks + 1);
  const needed = machine.readiness(current);
  const activeRuns = containers.filter(({ role }) => role === "run").length;
  const answer = { release, credentials, revision, activeRuns, settled: true };
  if (needed !== "never" && looks >= needed) return { ...answer, ready: true };
  if (needed !== "never" && looks === 0) return undefined;
  return { ...answer, ready: false, reason: "the probe has not passed" };
}
