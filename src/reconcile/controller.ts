import type { Clock } from "../base/clock.ts";
import { type AlError, toAlError } from "../base/errors.ts";
import type { FleetSpec } from "../core/desired.ts";
import type { HostResult, PassEvent } from "../core/pass.ts";
import { runFleetPass } from "./fleet-pass.ts";
import type { PassDeps } from "./pass.ts";
import { createWaker } from "./waker.ts";

/** What a commit asks for, or why it was refused whole. */
export type Desired =
  | { readonly kind: "fleet"; readonly fleet: FleetSpec }
  | { readonly kind: "refused"; readonly report: string };

/** The repository a controller follows. */
export interface SourcePort {
  /** Reads the branch's newest commit id from the remote; undefined before its first commit. */
  fetch(signal?: AbortSignal): Promise<string | undefined>;
  /** What a fetched commit asks for. */
  desired(commit: string, signal?: AbortSignal): Promise<Desired>;
  /** Calls back soon after a push, where the source can tell; a poll finds it anyway. */
  watch(onWake: () => void, signal: AbortSignal): void;
}

/** What a controller does, for whoever watches it. */
export type ControllerEvent =
  | { readonly kind: "started"; readonly intervalMs: number }
  /** The branch has no commit yet. */
  | { readonly kind: "empty" }
  | { readonly kind: "revision"; readonly revision: string }
  | { readonly kind: "refused"; readonly revision: string; readonly report: string }
  | { readonly kind: "source-failed"; readonly error: AlError }
  | { readonly kind: "pass"; readonly event: PassEvent }
  | { readonly kind: "result"; readonly revision: string; readonly result: HostResult };

/** What a controller is made of. */
export interface ControllerOptions {
  readonly source: SourcePort;
  /** What passes over a project's hosts are made with; called with the same name every time. */
  readonly depsFor: (project: string) => PassDeps;
  /** The repository's address, which grants are bound to. */
  readonly remote: string;
  readonly clock: Clock;
  /** Poll at least this often; also how often unchanged hosts are looked at for drift. */
  readonly intervalMs: number;
  readonly onEvent: (event: ControllerEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Follows a branch and keeps the fleet at its newest good commit until aborted. Level-triggered:
 * a wake only says "look now", and everything is read again.
 */
export async function runController(options: ControllerOptions): Promise<void> {
  const { source, clock, intervalMs, signal } = options;
  const waker = createWaker(clock);
  source.watch(() => waker.wake(), signal);
  options.onEvent({ kind: "started", intervalMs });
  let state: State = { good: undefined, seen: undefined, failed: new Set() };
  while (!signal.aborted) {
    waker.reset();
    try {
      state = await turn(options, state);
    } catch (thrown) {
      if (signal.aborted) return;
      options.onEvent({ kind: "source-failed", error: toAlError(thrown) });
    }
    await waker.wait(intervalMs, signal);
  }
}

interface State {
  /** The last commit that was not refused. */
  readonly good: Extract<Desired, { kind: "fleet" }> | undefined;
  readonly seen: string | undefined;
  /** Hosts where the good commit failed in a way that only a new commit mends. */
  readonly failed: ReadonlySet<string>;
}

async function turn(options: ControllerOptions, state: State): Promise<State> {
  const next = await look(options, state);
  return next.good ? pass(options, next, next.good) : next;
}

/** What is desired now. While the source fails that is what it was before: hosts are kept up. */
async function look(options: ControllerOptions, state: State): Promise<State> {
  const { source, signal, onEvent } = options;
  try {
    const revision = await source.fetch(signal);
    if (revision === undefined) onEvent({ kind: "empty" });
    if (revision === undefined || revision === state.seen) return state;
    onEvent({ kind: "revision", revision });
    const desired = await source.desired(revision, signal);
    if (desired.kind === "fleet") return { good: desired, seen: revision, failed: new Set() };
    onEvent({ kind: "refused", revision, report: desired.report });
    return { ...state, seen: revision };
  } catch (thrown) {
    signal.throwIfAborted();
    onEvent({ kind: "source-failed", error: toAlError(thrown) });
    return state;
  }
}

async function pass(
  options: ControllerOptions,
  state: State,
  good: Extract<Desired, { kind: "fleet" }>,
): Promise<State> {
  const { remote, onEvent, signal } = options;
  const { fleet } = good;
  const input = { fleet, remote, mode: "apply", except: state.failed } as const;
  const results = await runFleetPass(input, options.depsFor(good.fleet.project), {
    signal,
    onEvent: (event) => onEvent({ kind: "pass", event }),
  });
  const failed = new Set(state.failed);
  for (const result of results) {
    if (signal.aborted) break;
    onEvent({ kind: "result", revision: good.fleet.revision, result });
    if (result.kind === "failed" && isFinal(result.error)) failed.add(result.host);
  }
  return { ...state, failed };
}

/** A revision that could not be confirmed is not tried again on that host until a new commit. */
function isFinal(error: AlError): boolean {
  return error.blame === "terminal" || error.blame === "bug";
}
