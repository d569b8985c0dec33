import type { HostSpec } from "../../src/core/desired.ts";
import type { FileHash } from "../../src/core/fingerprint.ts";
import type { HostFacts, ObservedHost } from "../../src/core/observed.ts";
import type {
  AgentInput,
  HostInput,
  ImageAssets,
  ProjectInput,
} from "../../src/core/project-input.ts";
import { resolveTarget } from "../../src/core/target.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const REGIONS = ["ams", "fra", "lon", "nyc", "sin"];

/** Our own Dockerfiles, with a bundle of the size of the real one. */
export const SCALE_ASSETS: ImageAssets = {
  agentDockerfile: "ARG BASE=node\nFROM $BASE\nCOPY dist /app\n",
  agentContext: [{ path: "dist/entry.js", executable: false, content: new Uint8Array(4e6) }],
  runtimeDockerfile: "ARG BASE=node\nFROM $BASE\nCOPY dist /app\n",
  doorDockerfile: "ARG BASE=node\nFROM $BASE\nCOPY dist /app\n",
  doorContext: [{ path: "dist/door.mjs", executable: false, content: new Uint8Array(4e3) }],
  ingressDockerfile: "ARG BASE=node\nFROM $BASE\nCOPY dist /app\n",
  ingressContext: [{ path: "dist/ingress.mjs", executable: false, content: new Uint8Array(4e3) }],
  runtimeContext: [{ path: "dist/main.js", executable: false, content: new Uint8Array(4e6) }],
};

/** A project of so many hosts in five regions, every tenth arm64, and so many agents. */
export function largeProject(hosts: number, agents: number): ProjectInput {
  return {
    name: "large",
    maxReruns: 10,
    workQueueSize: 100,
    maxCallDepth: 3,
    gateway: { port: 8080, lockTimeoutSeconds: 1800 },
    baseImage: "node:24-slim",
    baseAliases: ["al-agent:latest"],
    hosts: Array.from({ length: hosts }, (_, index) => host(index)),
    agents: Array.from({ length: agents }, (_, index) => agent(index)),
    rollout: { parallelHosts: 10, confirmTimeoutMs: 90_000 },
  };
}

/** A host nothing was ever put on. */
export function newHost({ host: name, architecture }: HostSpec): ObservedHost {
  const facts: HostFacts = {
    projectDir: "/home/deploy/.action-llama/projects/large",
    ...{
      uid: 1001,
      gid: 1001,
      dockerGid: 998,
      dockerSocket: "/var/run/docker.sock",
      architecture,
      dockerVersion: "29.0.0",
      engineId: name,
    },
    ...{ imageStore: "containerd", dockerFreeBytes: 2e10, projectFreeBytes: 2e10 },
  };
  return {
    ...{ host: name, facts, credentialKey: undefined, current: undefined, network: undefined },
    ...{ inventory: { items: [] }, releases: [], credentialSets: [], temporary: [], images: [] },
    ...{ containers: [], subnets: ["172.17.0.0/16"], runtime: undefined },
    ...{ networkTraits: undefined, neighbours: [], entries: [] },
  };
}

/** A host on which this spec is live and confirmed. */
export function inSyncHost(spec: HostSpec, credentialFiles: readonly FileHash[]): ObservedHost {
  const empty = newHost(spec);
  const { current, inventory, container, network, credentials } = resolveTarget(
    spec,
    empty,
    credentialFiles,
  );
  const files = spec.release.files.map(({ path, hash }) => ({ path, hash }));
  const { name, specHash, image } = container;
  return {
    ...empty,
    credentialKey: "00",
    current,
    network,
    inventory: { ...inventory, confirmed: current },
    releases: [{ name: spec.release.hash, files, oddities: [] }],
    credentialSets: [{ name: credentials.hash, files: credentials.files, oddities: [] }],
    images: spec.images.map(({ reference, specHash: hash }) => ({ reference, specHash: hash })),
    containers: [{ name, role: "runtime", specHash, image, state: "running" }],
    runtime: {
      release: current.release,
      credentials: current.credentials,
      revision: current.revision,
      ...{ ready: true, activeRuns: 0, settled: true },
    },
  };
}

function host(index: number): HostInput {
  return {
    host: `host-${index}`,
    provider: "ssh",
    address: `10.0.${Math.floor(index / 250)}.${1 + (index % 250)}`,
    port: 22,
    user: "deploy",
    labels: { region: REGIONS[index % REGIONS.length] ?? "" },
    architecture: index % 10 === 0 ? "arm64" : "amd64",
  };
}

/** Every third asks for a region, every twentieth has an image of its own. */
function agent(index: number): AgentInput {
  const region = REGIONS[index % REGIONS.length] ?? "";
  const dockerfile = { path: `agents/agent-${index}/Dockerfile`, context: [] };
  const text = `FROM al-agent:latest\nRUN echo ${index}\n`;
  return {
    name: `agent-${index}`,
    model: { provider: "anthropic", model: "claude-sonnet-4-5", authType: "api_key" },
    credentials: ["github_token", `git_ssh:team-${index % 50}`],
    schedule: "0 * * * *",
    scale: 1,
    placement: { replicas: 1, ...(index % 3 === 0 && { labels: { region } }) },
    timeoutSeconds: 3600,
    memoryBytes: 2 ** 32,
    cpus: 2,
    params: { team: `team-${index % 50}`, limit: index },
    instructions: bytes(
      `# Agent ${index}\n\n${"Look at the open issues and mend one.\n".repeat(50)}`,
    ),
    ...(index % 20 === 0 && { dockerfile: { ...dockerfile, text } }),
  };
}
