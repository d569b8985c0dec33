import { AlError } from "../../src/base/errors.ts";

/**
 * What goes wrong at a call. `before`: it has no effect. `after`: it has its effect and the answer is lost.
 * `torn`: a write stops halfway. `lost`: the connection ends before it, `lost-after` after it.
 * `lock-lost`: the host lock is gone, and with it the connection. `stopped`: nothing fails, but just
 * before it an operator stops the project acme.
 */
export type FaultKind =
  | "before"
  | "after"
  | "torn"
  | "lost"
  | "lost-after"
  | "lock-lost"
  | "stopped";

/** One thing that goes wrong. */
export interface Fault {
  /** Index of the call, counted from 0 since the last {@link Faults.arm}. */
  readonly at: number;
  readonly kind: FaultKind;
}

/** Decides for every call to a machine whether it fails. */
export interface Faults {
  /** Names of the calls since the last `arm`. */
  readonly calls: readonly string[];
  /** Starts to count anew; without arguments nothing fails. */
  arm(faults?: readonly Fault[]): void;
  next(name: string): FaultKind | undefined;
}

/** Nothing fails until told. */
export function createFaults(): Faults {
  const calls: string[] = [];
  let armed: readonly Fault[] = [];
  return {
    calls,
    arm(faults = []) {
      calls.length = 0;
      armed = faults;
    },
    next(name) {
      calls.push(name);
      return armed.find(({ at }) => at === calls.length - 1)?.kind;
    },
  };
}

/** The error of a call that was made to fail. */
export function injected(name: string): AlError {
  return new AlError(`${name} was made to fail`, { code: "injected", blame: "transient" });
}

/** The error of everything on a connection that has ended. */
export function connectionLost(host: string): AlError {
  return new AlError(`the connection to host ${host} ended`, {
    code: "connection-lost",
    blame: "transient",
  });
}
