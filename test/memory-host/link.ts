import { AlError } from "../../src/base/errors.ts";
import { connectionLost, type Faults, injected } from "./faults.ts";
import { type Machine, stopByOperator } from "./machine.ts";

/** One connection to a machine: every effect on it is a call, and any call may fail. */
export interface Link {
  readonly machine: Machine;
  /** `torn` is what half an effect leaves behind; without it, a torn call has none. */
  call<T>(name: string, effect: () => T, torn?: () => void): Promise<T>;
  /** Registers what happens when the connection or the lock is lost. */
  onLost(listener: (reason: AlError) => void): void;
  isAlive(): boolean;
  close(): void;
}

/** Connects to a machine. */
export function openLink(machine: Machine, faults: Faults): Link {
  const listeners: ((reason: AlError) => void)[] = [];
  let ended: AlError | undefined;
  const end = (reason: AlError): AlError => {
    if (!ended) machine.connections--;
    ended ??= reason;
    for (const listener of listeners) listener(reason);
    return reason;
  };
  machine.connections++;
  return {
    machine,
    onLost: (listener) => listeners.push(listener),
    isAlive: () => ended === undefined,
    close: () => void end(connectionLost(machine.host)),
    async call(name, effect, torn) {
      // Nothing on a real connection happens within the caller's own turn.
      await Promise.resolve();
      if (ended) throw ended;
      switch (faults.next(name)) {
        case undefined:
          return effect();
        case "before":
          throw injected(name);
        case "torn":
          torn?.();
          throw injected(name);
        case "after":
          effect();
          throw injected(name);
        case "lost":
          throw end(connectionLost(machine.host));
        case "lost-after":
          effect();
          throw end(connectionLost(machine.host));
        case "stopped":
          stopByOperator(machine, "acme");
          return effect();
        case "lock-lost":
          throw end(lockLost(machine.host));
      }
    },
  };
}

/** The error of a lock that ended under its holder. */
export function lockLost(host: string): AlError {
  return new AlError(`host ${host}: the host lock was lost`, {
    code: "lock-lost",
    blame: "transient",
  });
}
