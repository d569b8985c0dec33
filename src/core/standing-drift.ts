import {
  type ContainerFacts,
  doorFacts,
  explainAltered,
  ingressFacts,
  runtimeFacts,
} from "./container-facts.ts";
import { CERTIFICATES_DIRECTORY, DOOR_DIRECTORY, INGRESS_DIRECTORY } from "./names.ts";
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
  const { container, spec } = target;
  const wanted = runtimeFacts(container, spec.runtime.imageSpecHash);
  const what = { called: "the runtime container", name: container.name, wanted };
  const flaw = explainFlaw(what, spec.project, observed);
  if (flaw !== undefined || hasPlaces(target, observed)) return flaw;
  const found = observed.containers.find(({ name }) => name === container.name);
  return found?.state === "running" ? "the directory of its socket was removed" : undefined;
}

/** Whether the directories are there in which the live runtime listens. */
function hasPlaces({ door, ingress }: Target, observed: ObservedHost): boolean {
  const { current } = observed;
  const listensAtDoor = door !== undefined && current?.door !== undefined;
  const listensAtIngress = ingress !== undefined && current?.ingress !== undefined;
  return (
    (!listensAtDoor || hasDirectory(observed, DOOR_DIRECTORY)) &&
    (!listensAtIngress || hasDirectory(observed, INGRESS_DIRECTORY))
  );
}

/** The same of the door's container. */
export function explainDoorFlaw(target: Target, observed: ObservedHost): string | undefined {
  const { door, spec } = target;
  if (!door || !spec.door) return undefined;
  const wanted = doorFacts(door, spec.door.imageSpecHash);
  const what = { called: "the door", name: door.name, wanted };
  const flaw = explainFlaw(what, spec.project, observed);
  if (flaw !== undefined || hasDirectory(observed, DOOR_DIRECTORY)) return flaw;
  const isThere = observed.containers.some(({ name }) => name === door.name);
  return isThere ? "the directory that the door sees was removed" : undefined;
}

/** The same of the ingress's container. */
export function explainIngressFlaw(target: Target, observed: ObservedHost): string | undefined {
  const { ingress, spec } = target;
  if (!ingress || !spec.ingress) return undefined;
  const wanted = ingressFacts(ingress, spec.ingress.imageSpecHash);
  const what = { called: "the ingress", name: ingress.name, wanted };
  const flaw = explainFlaw(what, spec.project, observed);
  if (flaw !== undefined) return flaw;
  if (!observed.containers.some(({ name }) => name === ingress.name)) return undefined;
  if (!hasDirectory(observed, INGRESS_DIRECTORY)) {
    return "the directory that the ingress sees was removed";
  }
  const certificates = `${CERTIFICATES_DIRECTORY}/${ingress.site.name}`;
  return hasDirectory(observed, certificates)
    ? undefined
    : "the directory of the ingress's certificates was removed";
}

/** What was mounted stays what it was: where a directory is gone, containers that had it need a new one. */
function hasDirectory({ entries }: ObservedHost, path: string): boolean {
  return entries.includes(path);
}

function explainFlaw(
  { called, name, wanted }: { called: string; name: string; wanted: ContainerFacts },
  project: string,
  observed: ObservedHost,
): string | undefined {
  const found = observed.containers.find((container) => container.name === name);
  if (!found) return undefined;
  if (STUCK.includes(found.state)) return `${called} is ${found.state}`;
  if (explainReplacedNetwork(project, observed) !== undefined) {
    return "the network it was made in is replaced";
  }
  if (!found.facts) return undefined;
  const altered = explainAltered(wanted, found.facts);
  return altered === undefined ? undefined : `${called} was altered: ${altered}`;
}
