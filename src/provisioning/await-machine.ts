import type { Clock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import type { Machine } from "../core/machine.ts";
import type { MachineProvider } from "./ports.ts";

const INTERVAL_MS = 3_000;
/** How long a new machine may be unknown to its provider. */
const UNKNOWN_MS = 60_000;
const PATIENCE_MS = 15 * 60_000;

/** How to wait for a machine. */
export interface AwaitMachineOptions {
  readonly provider: Pick<MachineProvider, "getMachine">;
  readonly clock: Clock;
  /** Whose machine it is, for errors. */
  readonly host: string;
  /** Default 15 minutes. */
  readonly patienceMs?: number;
  /** Told of every look. */
  readonly onLook?: (machine: Machine | undefined) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A machine that can be connected to. */
export type ReadyMachine = Machine & { readonly address: string };

/**
 * Waits until a machine has booted and has an address.
 * @throws AlError `machine-never-ready` (transient) when patience ends, `machine-gone` (user) when it
 * stays unknown for a minute, `machine-suspended`, `machine-stopped` (user).
 */
export async function awaitMachine(
  id: string,
  { provider, clock, host, patienceMs = PATIENCE_MS, onLook, signal }: AwaitMachineOptions,
): Promise<ReadyMachine> {
  const start = clock.now();
  let lastSeenMs = start;
  for (;;) {
    const machine = await provider.getMachine(id, { signal });
    onLook?.(machine);
    if (machine) lastSeenMs = clock.now();
    if (machine?.state === "ready" && machine.address !== undefined) {
      return { ...machine, address: machine.address };
    }
    if (machine) refuseEnded(machine, host);
    if (clock.now() - lastSeenMs > UNKNOWN_MS) throw gone(id, host);
    if (clock.now() - start > patienceMs) throw neverReady(id, host, patienceMs);
    await clock.sleep(INTERVAL_MS, signal);
  }
}

function refuseEnded({ id, state }: Machine, host: string): void {
  if (state !== "suspended" && state !== "stopped") return;
  throw new AlError(`host ${host}: machine ${id} is ${state}`, {
    code: `machine-${state}`,
    blame: "user",
    hint: `Look in the provider's console why it is ${state}, start it there, and run the same command again.`,
  });
}

function gone(id: string, host: string): AlError {
  return new AlError(`host ${host}: machine ${id} is gone from its provider`, {
    code: "machine-gone",
    blame: "user",
    hint: `If it was removed on purpose, run: al deprovision ${host}`,
  });
}

function neverReady(id: string, host: string, patienceMs: number): AlError {
  const minutes = Math.round(patienceMs / 60_000);
  return new AlError(`host ${host}: machine ${id} has not booted within ${minutes} min`, {
    code: "machine-never-ready",
    blame: "transient",
    hint: `Run the same command again to go on waiting; the provider's console shows what it is doing. To give it back: al deprovision ${host}`,
  });
}
