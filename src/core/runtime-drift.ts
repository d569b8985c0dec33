import { explainAltered, runtimeFacts } from "./container-facts.ts";
import { explainReplacedNetwork } from "./network-drift.ts";
import type { ObservedHost } from "./observed.ts";
import type { Target } from "./target.ts";

/** States from which Docker starts nothing: only a new container helps. */
const STUCK = ["paused", "dead", "removing"];

/**
 * Why the runtime container that is there must be made anew, although its name is right, or undefined
 * when it may stay or is not there.
 */
export function explainRuntimeFlaw(target: Target, observed: ObservedHost): string | undefined {
  const found = observed.containers.find(({ name }) => name === target.container.name);
  if (!found) return undefined;
  if (STUCK.includes(found.state)) return `the runtime container is ${found.state}`;
  if (explainReplacedNetwork(target.spec.project, observed) !== undefined) {
    return "the network it was made in is replaced";
  }
  if (!found.facts) return undefined;
  const wanted = runtimeFacts(target.container, target.spec.runtime.imageSpecHash);
  const altered = explainAltered(wanted, found.facts);
  return altered === undefined ? undefined : `the runtime container was altered: ${altered}`;
}
