import { type AlError, toAlError } from "../base/errors.ts";
import type { HostSpec } from "../core/desired.ts";
import type { Current } from "../core/observed.ts";
import type { Aftermath, PassEvent } from "../core/pass.ts";
import type { Action, HostPlan, Phase } from "../core/plan.ts";
import type { CredentialFile } from "../core/resolve-credentials.ts";
import { confirm } from "./confirm.ts";
import type { HostSession, StepContext } from "./ports.ts";
import { rollBack } from "./roll-back.ts";

/** What carrying out a plan needs. */
export interface ApplyInput {
  readonly session: HostSession;
  readonly spec: HostSpec;
  readonly credentialFiles: readonly CredentialFile[];
  readonly context: StepContext;
  readonly plan: HostPlan;
  /** What is to be live where that is not what the spec resolves to: for a push. */
  readonly current?: Current | undefined;
  readonly onEvent: (event: PassEvent) => void;
  readonly now: () => number;
  /** Waits between looks at the host; rejects when aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** How long a switched host may take to be confirmed. */
  readonly confirmTimeoutMs: number;
}

/** How applying ended; `not-confirmed` says what is live now. */
export type ApplyResult =
  | { readonly kind: "done" }
  | { readonly kind: "not-confirmed"; readonly error: AlError; readonly aftermath: Aftermath };

/**
 * Carries out a plan: prepare, switch, confirm, retire. A failure before the switch throws and leaves
 * what runs untouched; a failed confirmation puts the previous release back.
 */
export async function applyPlan(input: ApplyInput): Promise<ApplyResult> {
  await runPhase(input, "prepare");
  const error = await switchAndConfirm(input);
  if (error && phaseOf(input.plan, "switch").length > 0 && !input.context.signal?.aborted) {
    return { kind: "not-confirmed", error, aftermath: await rollBack(input, error) };
  }
  if (error) throw error;
  await runPhase(input, "retire");
  return { kind: "done" };
}

async function switchAndConfirm(input: ApplyInput): Promise<AlError | undefined> {
  try {
    await runPhase(input, "switch");
    input.onEvent({ kind: "confirming", host: input.spec.host });
    await confirm(input);
    return undefined;
  } catch (thrown) {
    return toAlError(thrown);
  }
}

async function runPhase(input: ApplyInput, phase: Phase): Promise<void> {
  for (const action of phaseOf(input.plan, phase)) await runAction(input, action);
}

function phaseOf(plan: HostPlan, phase: Phase): readonly Action[] {
  return plan.actions.filter((action) => action.phase === phase);
}

async function runAction(input: ApplyInput, action: Action): Promise<void> {
  const { host } = input.spec;
  const startedAt = input.now();
  input.context.signal?.throwIfAborted();
  input.onEvent({ kind: "action-started", host, action });
  const result = await input.session.carryOut(action.step, input.context);
  const ms = input.now() - startedAt;
  const kept = result.kind === "kept" ? { kept: result.reason } : {};
  input.onEvent({ kind: "action-finished", host, action, ms, ...kept });
}
