import { AlError } from "../base/errors.ts";
import type { Current, ObservedHost } from "../core/observed.ts";
import { explainUnconfirmed, isConfirmed } from "../core/plan-switch.ts";
import type { Stopped } from "../core/stopped.ts";
import { resolveTarget } from "../core/target.ts";
import type { ApplyInput } from "./apply.ts";

/** A host that an operator stopped, as it was seen. */
export interface StoppedHost {
  readonly stopped: Stopped;
  readonly observed: ObservedHost;
}

/** The same host, if it is a stopped one. */
export function stoppedHost(observed: ObservedHost): StoppedHost | undefined {
  const { stopped } = observed;
  return stopped && { stopped, observed };
}

/**
 * Looks at the host afresh, through Docker and the runtime, until it is what the spec asks, or an
 * operator stopped it: then it is returned, and there is nothing to confirm.
 * A look that fails for a passing reason is repeated like one that finds it not there yet.
 * @throws AlError `not-confirmed` saying what was missing when the time was up.
 */
export async function confirm(input: ApplyInput): Promise<StoppedHost | undefined> {
  const { spec, credentialFiles } = input;
  let stopped: StoppedHost | undefined;
  const missing = (observed: ObservedHost) => {
    stopped = stoppedHost(observed);
    if (stopped) return undefined;
    const { current } = input;
    const target = current ? { current } : resolveTarget(spec, observed, credentialFiles);
    return isConfirmed(target, observed) ? undefined : explainUnconfirmed(target, observed);
  };
  const reason = await watch(input, input.confirmTimeoutMs, missing);
  if (reason !== undefined) throw unconfirmed(input, reason);
  return stopped;
}

/** True when the runtime of `previous` answers with its release again, within half a minute. */
export async function confirmRestored(input: ApplyInput, previous: Current): Promise<boolean> {
  const missing = ({ current, runtime }: ObservedHost) =>
    current?.runtime === previous.runtime && runtime?.release === previous.release
      ? undefined
      : "the previous release does not answer";
  return (await watch(input, 30_000, missing)) === undefined;
}

/** The last reason `missing` gave when the time was up; undefined as soon as it gives none. */
async function watch(
  input: ApplyInput,
  timeoutMs: number,
  missing: (observed: ObservedHost) => string | undefined,
): Promise<string | undefined> {
  const { session, spec, context } = input;
  const { signal } = context;
  const deadline = input.now() + timeoutMs;
  for (let waitMs = 25; ; waitMs = Math.min(waitMs * 2, 1000)) {
    const reason = await session.observe(spec.project, { signal }).then(missing, passing);
    signal?.throwIfAborted();
    if (reason === undefined || input.now() > deadline) return reason;
    await input.sleep(waitMs, signal);
  }
}

/** What a failed look says; a failure that stays is thrown on. */
function passing(thrown: unknown): string {
  const stays = !(thrown instanceof AlError) || thrown.blame !== "transient";
  if (stays || thrown.code === "connection-lost") throw thrown;
  return thrown.message;
}

function unconfirmed({ spec, plan }: ApplyInput, reason: string): AlError {
  const switched = plan.actions.find(({ step }) => step.kind === "switch")?.step;
  const runtime = switched?.kind === "switch" ? switched.current.runtime : "";
  return new AlError(`host ${spec.host} was not confirmed: ${reason}`, {
    code: "not-confirmed",
    blame: "terminal",
    hint: `Look at the runtime's own log on the host: docker logs ${runtime}`,
  });
}
