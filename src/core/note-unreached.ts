import type { Placement } from "./desired.ts";
import type { ProjectInput } from "./project-input.ts";

/** The same placements, with a note at agents that listen where deliveries to the public name do not come. */
export function noteUnreached(
  placements: readonly Placement[],
  { agents, gateway: { ingress } }: ProjectInput,
): readonly Placement[] {
  if (!ingress) return placements;
  const listening = new Set(
    agents.filter(({ webhooks = [] }) => webhooks.length > 0).map(({ name }) => name),
  );
  return placements.map((placement) => {
    const { agent, hosts, note } = placement;
    if (!listening.has(agent) || hosts.includes(ingress.host)) return placement;
    const unreached = `no delivery to ${ingress.site.name} reaches it: that is host ${ingress.host}`;
    return { ...placement, note: note === undefined ? unreached : `${note}; ${unreached}` };
  });
}
