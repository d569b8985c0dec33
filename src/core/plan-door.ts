import { portText } from "./container-facts.ts";
import { doorContainerSpec } from "./door-container.ts";
import type { ObservedHost } from "./observed.ts";
import type { Action, DoorContainer } from "./plan.ts";
import { explainDoorFlaw } from "./standing-drift.ts";
import type { Target } from "./target.ts";

/**
 * The door's container, where webhooks are to be received: made anew only when its own program, port or
 * setting changed, because two cannot have one port, and between them senders are refused.
 */
export function planDoor(target: Target, observed: ObservedHost): Action[] {
  const { door: container } = target;
  if (!container) return [];
  const flaw = explainDoorFlaw(target, observed);
  if (flaw !== undefined) {
    const reason = `${flaw}; senders are refused until it is made anew`;
    return [{ phase: "switch", step: { kind: "replace-door", container }, reason }];
  }
  if (observed.containers.some(({ name }) => name === container.name)) return [];
  const reason = explainMissing(container, observed);
  return [{ phase: "prepare", step: { kind: "create-door", container }, reason }];
}

function explainMissing(container: DoorContainer, observed: ObservedHost): string {
  const { current, containers } = observed;
  if (current?.door === container.name) return "the door was removed";
  if (current?.door !== undefined) {
    return "the live door has another program, port or setting; senders are refused for a moment at the switch";
  }
  const runtime = containers.find(({ name }) => name === current?.runtime);
  const [port] = doorContainerSpec(container, {}).ports.map(portText);
  if (port !== undefined && runtime?.facts?.ports.split(", ").includes(port)) {
    return "the live runtime holds the port itself; senders are refused for a moment at the switch";
  }
  return `webhooks are to be received on 127.0.0.1:${container.outsidePort}`;
}
