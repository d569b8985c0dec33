import { type AlError, toAlError } from "../base/errors.ts";
import type { HostSpec } from "../core/desired.ts";
import type { Current } from "../core/observed.ts";
import type { Aftermath, PassEvent } from "../core/pass.ts";
import type { Action, HostPlan, Phase } from "../core/plan.ts";
import type { CredentialFile } from "../core/resolve-credentials.ts";
import { confirm, type StoppedHost, stoppedHost } from "./confirm.ts";
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

/**
 * How applying ended; `not-confirmed` says what is live now. `stopped`: by an operator in the middle of it;
 * nothing is put back, and whatever was not confirmed yet will be by a pass after `al start`.
 */
export type ApplyResult =
  | { readonly kind: "done" }
  | ({ readonly kind: "stopped" } & StoppedHost)
  | { readonly kind: "not-confirmed"; readonly error: AlError; readonly aftermath: Aftermath };

/**
 * Carries out a plan: prepare, switch, confirm, retire. A failure before the switch throws and leaves
 * what runs untouched; a failed confirmation puts the previous release back.
 */
export async function applyPlan(input: ApplyInput): Promise<ApplyResult> {
  await runPhase(input, "prepare");
  const end = await switchAndConfirm(input);
  if (end.kind === "stopped") return end;
  if (end.kind === "confirmed") {
    await runPhase(input, "retire");
    return { kind: "done" };
  }
  const { error } = end;
  const isSwitched = phaseOf(input.plan, "switch").length > 0;
  if (!isSwitched || input.context.signal?.aborted) throw error;
  return { kind: "not-confirmed", error, aftermath: await rollBack(input, error) };
}

type SwitchEnd =
  | { readonly kind: "confirmed" }
  | ({ readonly kind: "stopped" } & StoppedHost)
  | { readonly kind: "failed"; readonly error: AlError };

async function switchAndConfirm(input: ApplyInput): Promise<SwitchEnd> {
  try {
    await runPhase(input, "switch");
    input.onEvent({ kind: "confirming", host: input.spec.host });
    const stopped = await confirm(input);
    return stopped ? { kind: "stopped", ...stopped } : { kind: "confirmed" };
  } catch (thrown) {
    const stopped = await lookIfStopped(input);
    if (stopped) return { kind: "stopped", ...stopped };
    return { kind: "failed", error: toAlError(thrown) };
  }
}

/** A step may have failed because an operator stopped the host; that is no reason to put anything back. */
async function lookIfStopped({ session, spec, context }: ApplyInput) {
  const { signal } = context;
  const looked = session.observe(spec.project, { signal });
  const observed = await looked.catch(() => undefined);
  return observed && stoppedHost(observed);
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
