import { type AlError, toAlError } from "../base/errors.ts";
import type { Current } from "../core/observed.ts";
import type { Aftermath } from "../core/pass.ts";
import type { Step } from "../core/plan.ts";
import { isSameCurrent } from "../core/plan-switch.ts";
import type { ApplyInput } from "./apply.ts";
import { confirmRestored } from "./confirm.ts";

/**
 * Puts the last confirmed release back after a failed confirmation, with the new credentials: a
 * rotated secret never comes back. With nothing before it, the new runtime is withdrawn.
 * What it returns was seen on the host, not assumed.
 */
export async function rollBack(input: ApplyInput, reason: AlError): Promise<Aftermath> {
  const { host } = input.spec;
  const step = input.plan.actions.map((action) => action.step).find(isSwitch);
  if (!step) return "unrestored";
  const { current, previous } = step;
  if (previous && isSameCurrent(previous, current)) return "unrestored";
  input.onEvent({ kind: "rolling-back", host, reason: reason.message });
  try {
    if (!previous) {
      await carryOut(input, { kind: "withdraw", container: current.runtime });
      return "withdrawn";
    }
    return await restore(input, previous, current);
  } catch (thrown) {
    const failure = toAlError(thrown).message;
    input.onEvent({ kind: "rolling-back", host, reason: `putting it back failed: ${failure}` });
    return "unrestored";
  }
}

async function restore(
  input: ApplyInput,
  previous: Current,
  { credentials, network }: Current,
): Promise<Aftermath> {
  const current = { ...previous, credentials, network };
  await carryOut(input, { kind: "switch", current, previous: undefined });
  return (await confirmRestored(input, previous)) ? "restored" : "unrestored";
}

async function carryOut(input: ApplyInput, step: Step): Promise<void> {
  await input.session.carryOut(step, input.context);
}

function isSwitch(step: Step): step is Extract<Step, { kind: "switch" }> {
  return step.kind === "switch";
}
