import { type AlError, toAlError } from "../base/errors.ts";
import type { Step } from "../core/plan.ts";
import type { ApplyInput } from "./apply.ts";

/**
 * Puts the previous release back after a failed confirmation, with the new credentials: a rotated
 * secret never comes back. With nothing before it, the new runtime is withdrawn.
 * Returns false when this failed too; the next pass then finds the host as it is.
 */
export async function rollBack(input: ApplyInput, reason: AlError): Promise<boolean> {
  const { host } = input.spec;
  input.onEvent({ kind: "rolling-back", host, reason: reason.message });
  try {
    for (const step of rollBackSteps(input)) await input.session.carryOut(step, input.context);
    return true;
  } catch (thrown) {
    const failure = toAlError(thrown).message;
    input.onEvent({ kind: "rolling-back", host, reason: `putting it back failed: ${failure}` });
    return false;
  }
}

function rollBackSteps(input: ApplyInput): Step[] {
  return input.plan.actions.flatMap(({ step }): Step[] => {
    if (step.kind !== "switch") return [];
    const { current, previous } = step;
    if (!previous) return [{ kind: "withdraw", container: current.runtime }];
    const { credentials, network } = current;
    return [{ kind: "switch", current: { ...previous, credentials, network }, previous: current }];
  });
}
