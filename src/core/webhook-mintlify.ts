import type { WebhookEvent } from "./webhook-event.ts";
import { type Payload, present, textAt, textsOf } from "./webhook-payload.ts";

/** Reads a Mintlify delivery: its event is always `build`, its action the build's status. */
export function readMintlifyEvent(payload: Payload): WebhookEvent {
  const event = "build";
  const action = textAt(payload, "action") ?? textAt(payload, "status");
  const project = textAt(payload, "project") ?? textAt(payload, "project", "name");
  const branch = textAt(payload, "branch");
  const context = present({ event, action, project, branch, url: textAt(payload, "url") });
  const facts = {
    ...{ projects: textsOf([project]), events: [event] },
    ...{ actions: textsOf([action]), branches: textsOf([branch]) },
  };
  return { context, facts };
}
