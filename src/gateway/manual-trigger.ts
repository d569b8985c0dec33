import { AlError } from "../base/errors.ts";
import type { Trigger } from "../core/trigger.ts";
import type { TriggerRequest } from "./control-schema.ts";

/**
 * The trigger that a request by hand asks for: a webhook's where it brings a context.
 * @throws AlError `bad-request` (user).
 */
export function manualTrigger({ by, context: given }: TriggerRequest): Trigger {
  const who = by === undefined ? {} : { by };
  if (given === undefined) return { kind: "manual", ...who };
  const { source = "manual", ...rest } = given;
  if (typeof source !== "string") {
    throw badRequest("must be text: github, sentry, linear or mintlify", "context.source");
  }
  if (!canBeWritten(rest)) throw badRequest("is nested too deeply", "context");
  return { kind: "webhook", source, context: rest, ...who };
}

/** What can be read, but is nested too deeply to be written again, cannot be kept either. */
function canBeWritten(value: object): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}

function badRequest(problem: string, field: string): AlError {
  return new AlError(`body field ${field}: ${problem}`, { code: "bad-request", blame: "user" });
}
