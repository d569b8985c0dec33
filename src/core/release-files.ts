import { canonicalJson } from "../base/canonical-json.ts";
import { agentCredentials } from "./credential-needs.ts";
import type { ReleaseFile, ReleaseSpec } from "./desired.ts";
import { compareText, sha256, treeHash } from "./fingerprint.ts";
import { givenCertificate, type PublicSite } from "./ingress-config.ts";
import type { AgentInput, ProjectInput } from "./project-input.ts";
import { ReleasedAgent, ReleasedProject } from "./released.ts";
import { usedSources } from "./used-sources.ts";

const encoder = new TextEncoder();

/** What of a host's is in its release: references of images by agent, and of our base; what is public there. */
export interface ReleasePlace {
  readonly base: string;
  readonly ofAgent: (name: string) => string;
  readonly site?: PublicSite | undefined;
}

/** The files of one host's release: project.json and, per agent, agent.json and ACTIONS.md. */
export function releaseOf(
  project: ProjectInput,
  agents: readonly AgentInput[],
  place: ReleasePlace,
): ReleaseSpec {
  const sorted = [...agents].sort((a, b) => compareText(a.name, b.name));
  const sources = usedSources(agents, project);
  const described = ReleasedProject.parse({
    project: project.name,
    scale: project.scale,
    maxReruns: project.maxReruns,
    workQueueSize: project.workQueueSize,
    maxCallDepth: project.maxCallDepth,
    lockTimeoutSeconds: project.gateway.lockTimeoutSeconds,
    retention: project.retention,
    baseImage: place.base,
    webhooks: Object.keys(sources).length > 0 ? sources : undefined,
    control: project.gateway.control ? true : undefined,
    ingress: place.site && {
      control: place.site.control,
      trustedProxies: [...place.site.trustedProxies],
      certificate: givenCertificate(place.site),
    },
    agents: sorted.map(({ name }) => name),
  });
  const files = [
    jsonFile("project.json", described),
    ...sorted.flatMap((agent) => [
      releaseFile(`agents/${agent.name}/ACTIONS.md`, agent.instructions),
      jsonFile(`agents/${agent.name}/agent.json`, releasedAgent(agent, place)),
    ]),
  ].sort((a, b) => compareText(a.path, b.path));
  return { hash: treeHash(files), files };
}

function releasedAgent(agent: AgentInput, { ofAgent }: ReleasePlace): ReleasedAgent {
  return ReleasedAgent.parse({
    name: agent.name,
    image: ofAgent(agent.name),
    model: { ...agent.model },
    credentials: agentCredentials(agent),
    schedule: agent.schedule,
    timezone: agent.timezone,
    catchUp: agent.catchUp === "none" ? undefined : agent.catchUp,
    jitterSeconds: agent.jitterSeconds || undefined,
    onInterrupted: agent.onInterrupted === "none" ? undefined : agent.onInterrupted,
    scale: agent.scale,
    timeoutSeconds: agent.timeoutSeconds,
    memoryBytes: agent.memoryBytes,
    cpus: agent.cpus,
    params: agent.params,
    preflight: agent.preflight?.length ? agent.preflight : undefined,
    limits: agent.limits,
    webhooks: agent.webhooks?.length
      ? agent.webhooks.map(({ source, ...filter }) => ({ source, filter }))
      : undefined,
  });
}

function jsonFile(path: string, value: ReleasedAgent | ReleasedProject): ReleaseFile {
  return releaseFile(path, encoder.encode(`${canonicalJson(value)}\n`));
}

function releaseFile(path: string, content: Uint8Array): ReleaseFile {
  return { path, hash: sha256(content), content };
}
