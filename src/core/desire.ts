import { credentialNeeds } from "./credential-needs.ts";
import type {
  Architecture,
  FleetSpec,
  HostAddress,
  HostSpec,
  ImageSpec,
  Placement,
} from "./desired.ts";
import { compareText } from "./fingerprint.ts";
import { imageRecipes, type ProjectImages, recipesFor } from "./image-recipes.ts";
import type { PublicSite } from "./ingress-config.ts";
import { noteUnreached } from "./note-unreached.ts";
import { placeAgents } from "./placement.ts";
import type { AgentInput, HostInput, ImageAssets, ProjectInput } from "./project-input.ts";
import { releaseOf } from "./release-files.ts";
import { usedSources } from "./used-sources.ts";

/**
 * What one revision asks of every host. Pure: equal input gives byte-equal output.
 * Every agent is placed where its placement says, disabled ones (scale 0) too; without hosts
 * nothing is asked of any.
 */
export function desireFleet(
  project: ProjectInput,
  assets: ImageAssets,
  revision: string,
): FleetSpec {
  const hosts = [...project.hosts].sort((a, b) => compareText(a.host, b.host));
  const placements = noteUnreached(placeAgents(project.agents, hosts), project);
  const agentsOn = agentsByHost(project.agents, placements);
  const images = new Map<Architecture, ProjectImages>();
  for (const architecture of new Set(hosts.map((host) => host.architecture).sort(compareText))) {
    images.set(architecture, imageRecipes(project, assets, architecture));
  }
  const specs = hosts.map((host) => {
    const agents = agentsOn.get(host.host) ?? [];
    const built = images.get(host.architecture) as ProjectImages;
    const spec = hostSpec({ project, host, agents, built, revision });
    return { address: addressOf(host), spec, ...(host.drift && { drift: host.drift }) };
  });
  const recipes = [...images].flatMap(([architecture, built]) => {
    const wanted = specs.filter(({ spec }) => spec.architecture === architecture);
    return recipesFor(
      built,
      wanted.flatMap(({ spec }) => spec.images),
    );
  });
  const { name, rollout } = project;
  const builder = hosts.find(({ host }) => host === project.builder);
  const built = builder
    ? recipes.map((recipe) => ({ ...recipe, builder: addressOf(builder) }))
    : recipes;
  return { project: name, revision, hosts: specs, placements, rollout, recipes: built };
}

function agentsByHost(
  agents: readonly AgentInput[],
  placements: readonly Placement[],
): ReadonlyMap<string, readonly AgentInput[]> {
  const byName = new Map(agents.map((agent) => [agent.name, agent]));
  const byHost = new Map<string, AgentInput[]>();
  for (const { agent: name, hosts } of placements) {
    const agent = byName.get(name) as AgentInput;
    for (const host of hosts) {
      const there = byHost.get(host);
      if (there) there.push(agent);
      else byHost.set(host, [agent]);
    }
  }
  return byHost;
}

function hostSpec(of: {
  readonly project: ProjectInput;
  readonly host: HostInput;
  readonly agents: readonly AgentInput[];
  readonly built: ProjectImages;
  readonly revision: string;
}): HostSpec {
  const { project, host, agents, built, revision } = of;
  const { base, runtime, door, ingress } = built;
  const imageOf = (name: string) => (built.agents.get(name) ?? built.project ?? base).image;
  const listens = Object.keys(usedSources(agents, project)).length > 0;
  const isReached = project.gateway.control === true || listens;
  const site = siteOn(host, project, listens);
  const release = releaseOf(project, agents, {
    base: base.image.reference,
    ofAgent: (name) => imageOf(name).reference,
    site,
  });
  return {
    project: project.name,
    host: host.host,
    revision,
    architecture: host.architecture,
    images: uniqueImages([
      ...[
        base.image,
        runtime.image,
        ...(isReached ? [door.image] : []),
        ...(site ? [ingress.image] : []),
      ],
      ...agents.map(({ name }) => imageOf(name)),
    ]),
    release,
    credentials: credentialNeeds(agents, project, site),
    runtime: { image: runtime.image.reference, imageSpecHash: runtime.image.specHash },
    ...(isReached && {
      door: {
        image: door.image.reference,
        imageSpecHash: door.image.specHash,
        outsidePort: project.gateway.port,
      },
    }),
    ...(site && {
      ingress: {
        image: ingress.image.reference,
        imageSpecHash: ingress.image.specHash,
        site,
      },
    }),
  };
}

/** Nothing is public where nobody could get more than 404. */
function siteOn(
  { host }: HostInput,
  { gateway: { ingress } }: ProjectInput,
  listens: boolean,
): PublicSite | undefined {
  if (ingress?.host !== host) return undefined;
  return listens || ingress.site.control ? ingress.site : undefined;
}

function addressOf({ architecture: _arch, drift: _drift, ...address }: HostInput): HostAddress {
  return address;
}

function uniqueImages(images: readonly ImageSpec[]): readonly ImageSpec[] {
  const byReference = new Map(images.map((image) => [image.reference, image]));
  return [...byReference.values()].sort((a, b) => compareText(a.reference, b.reference));
}
