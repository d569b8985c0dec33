import type { Placement } from "./desired.ts";
import { compareText } from "./fingerprint.ts";
import { explainPlacement } from "./placement-reason.ts";
import type { PlacementInput } from "./project-input.ts";
import { rendezvousSeed, topScores } from "./rendezvous.ts";

/** As much of an agent as its placement depends on. */
export interface PlaceableAgent {
  readonly name: string;
  readonly scale: number;
  readonly placement?: PlacementInput | undefined;
}

/** As much of a host as placement depends on. */
export interface PlaceableHost {
  readonly host: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where an agent is placed that asks for nothing: on one host, whichever. */
export const ANYWHERE: PlacementInput = { replicas: 1 };

/**
 * The hosts of every agent, sorted by agent; disabled agents (scale 0) are placed too.
 * Among its eligible hosts an agent goes to those with the highest rendezvous scores, so a host
 * that comes or goes moves only what it wins or held. With fewer eligible hosts than replicas it
 * gets them all, which may be none.
 */
export function placeAgents(
  agents: readonly PlaceableAgent[],
  hosts: readonly PlaceableHost[],
): readonly Placement[] {
  const eligible = eligibleLookup(hosts);
  return [...agents]
    .sort((a, b) => compareText(a.name, b.name))
    .map((agent): Placement => {
      const wanted = agent.placement ?? ANYWHERE;
      const candidates = eligible(wanted);
      const replicas = wanted.replicas === "all" ? candidates.length : wanted.replicas;
      const chosen = topScores(rendezvousSeed(agent.name), candidates, replicas);
      const found = { eligible: candidates.length, chosen: chosen.length };
      const explained = explainPlacement(wanted, found, { isDisabled: agent.scale === 0 });
      return { agent: agent.name, hosts: chosen.map(({ name }) => name), ...explained };
    });
}

/** Whether a host is one that a placement asks for. */
export function isEligible(host: PlaceableHost, { hosts, labels }: PlacementInput): boolean {
  if (hosts && !hosts.includes(host.host)) return false;
  return Object.entries(labels ?? {}).every(
    ([key, value]) => Object.hasOwn(host.labels, key) && host.labels[key] === value,
  );
}

/** Eligible hosts by what is asked; most agents ask for the same, so each answer is kept. */
function eligibleLookup(hosts: readonly PlaceableHost[]) {
  const sorted = [...hosts].sort((a, b) => compareText(a.host, b.host));
  const all = sorted.map((facts) => ({ ...rendezvousSeed(facts.host), facts }));
  const known = new Map<string, typeof all>();
  return (wanted: PlacementInput) => {
    const key = JSON.stringify([wanted.hosts, wanted.labels]);
    const found = known.get(key) ?? all.filter(({ facts }) => isEligible(facts, wanted));
    known.set(key, found);
    return found;
  };
}
