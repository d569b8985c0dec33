import type { Current, ObservedHost } from "./observed.ts";
import type { Action, Step } from "./plan.ts";
import type { Target } from "./target.ts";

/** What a pass does about drift: `report` leaves it as it is until a new commit or the operator's word. */
export type DriftPolicy = "heal" | "report";

/** Steps that finish what an earlier pass of ours began: no drift. */
const OWN_REMAINS: readonly Step["kind"][] = ["record-inventory", "sweep", "remove"];

/**
 * True when the actions mend only what changed on the host: what is asked for is what was last
 * confirmed there, or, where nothing says what was, what is live.
 */
export function isDriftOnly(
  target: Target,
  observed: ObservedHost,
  actions: readonly Action[],
): boolean {
  const last = observed.inventory.confirmed ?? observed.current;
  if (!last || !isSameWish(last, target.current)) return false;
  return actions.some(({ step }) => !OWN_REMAINS.includes(step.kind));
}

/** The network is the host's to choose, and the runtime's name follows from it. */
function isSameWish(last: Current, wanted: Current): boolean {
  const isSameNetwork = last.network.subnet === wanted.network.subnet;
  return (
    last.host === wanted.host &&
    last.revision === wanted.revision &&
    last.release === wanted.release &&
    last.credentials === wanted.credentials &&
    last.door === wanted.door &&
    last.ingress === wanted.ingress &&
    (!isSameNetwork || last.runtime === wanted.runtime)
  );
}
