import type {
  AgentInput,
  HostInput,
  ImageAssets,
  ProjectInput,
} from "../../../src/core/project-input.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Stand-ins for our own Dockerfiles. */
export const ASSETS: ImageAssets = {
  agentDockerfile: "ARG BASE=node\nFROM $BASE\nCOPY dist /app\n",
  agentContext: [{ path: "dist/entry.js", executable: false, content: bytes("entry") }],
  runtimeDockerfile: "ARG BASE=node\nFROM $BASE\n",
  runtimeContext: [],
  doorDockerfile: "ARG BASE=node\nFROM $BASE\n# door\n",
  doorContext: [],
  ingressDockerfile: "ARG BASE=node\nFROM $BASE\n# ingress\n",
  ingressContext: [],
};

/** One agent, by default scheduled hourly. */
export function agent(name: string, over: Partial<AgentInput> = {}): AgentInput {
  return {
    name,
    model: { provider: "anthropic", model: "claude-sonnet-4-5", authType: "api_key" },
    credentials: [],
    schedule: "0 * * * *",
    scale: 1,
    timeoutSeconds: 3600,
    memoryBytes: 2 ** 32,
    cpus: 2,
    params: {},
    instructions: bytes(`do ${name}\n`),
    ...over,
  };
}

/** One host of architecture amd64. */
export function host(name: string, over: Partial<HostInput> = {}): HostInput {
  return {
    host: name,
    provider: "ssh",
    address: "192.0.2.1",
    port: 22,
    user: "root",
    labels: {},
    architecture: "amd64",
    ...over,
  };
}

/** A project with hosts and agents of these names. */
export function project(hosts: readonly string[], agents: readonly string[]): ProjectInput {
  return {
    name: "acme",
    maxReruns: 10,
    workQueueSize: 100,
    maxCallDepth: 3,
    gateway: { port: 8080, lockTimeoutSeconds: 1800 },
    baseImage: "node:24-slim",
    baseAliases: ["al-agent:latest"],
    hosts: hosts.map((name) => host(name)),
    agents: agents.map((name) => agent(name)),
    rollout: { parallelHosts: 10, confirmTimeoutMs: 90_000 },
  };
}
