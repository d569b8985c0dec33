import type { ObservedHost } from "./observed.ts";
import type { Action, IngressContainer } from "./plan.ts";
import { explainIngressFlaw } from "./standing-drift.ts";
import type { Target } from "./target.ts";

/**
 * The ingress's container, where the project is public: made anew only when its own program or setting
 * changed, because two cannot have one port, and between them senders are refused.
 */
export function planIngress(target: Target, observed: ObservedHost): Action[] {
  const { ingress: container } = target;
  if (!container) return [];
  const flaw = explainIngressFlaw(target, observed);
  if (flaw !== undefined) {
    const reason = `${flaw}; senders are refused until it is made anew`;
    return [{ phase: "switch", step: { kind: "replace-ingress", container }, reason }];
  }
  if (observed.containers.some(({ name }) => name === container.name)) return [];
  const reason = explainMissing(container, observed);
  return [{ phase: "prepare", step: { kind: "create-ingress", container }, reason }];
}

function explainMissing({ name, site }: IngressContainer, { current }: ObservedHost): string {
  if (current?.ingress === name) return "the ingress was removed";
  if (current?.ingress === undefined) {
    const control = site.control ? ", the control API included" : "";
    return `the project is to be public as https://${site.name}${control}, on ports 80 and 443 of every address`;
  }
  const control = site.control ? " than what is to be public, the control API included" : "";
  return `the live ingress has another program or setting${control}; senders are refused for a moment at the switch`;
}
