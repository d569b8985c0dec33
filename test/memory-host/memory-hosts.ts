import { AlError } from "../../src/base/errors.ts";
import type { HostLock, HostSession, HostsPort } from "../../src/reconcile/ports.ts";
import { carryOutInMemory } from "./carry-out.ts";
import { createFaults, type Faults } from "./faults.ts";
import { type Link, lockLost, openLink } from "./link.ts";
import type { Machine, MemoryLock } from "./machine.ts";
import { observeMachine } from "./observe.ts";
import type { ReadCredential } from "./standing.ts";

/** Options of {@link memoryHosts}. */
export interface MemoryHostsOptions {
  readonly machines: readonly Machine[];
  readonly read: ReadCredential;
  readonly faults?: Faults;
}

/** A HostsPort whose hosts are machines in memory. */
export function memoryHosts(options: MemoryHostsOptions): HostsPort {
  const { machines, read, faults = createFaults() } = options;
  const machineOf = (host: string) => {
    const machine = machines.find((candidate) => candidate.host === host);
    if (machine && !machine.unreachable) return machine;
    throw new AlError(`host ${host} cannot be reached`, {
      code: "unreachable",
      blame: "transient",
    });
  };
  return {
    async readHostKey({ host }) {
      return { fingerprint: machineOf(host).hostKey };
    },
    async connect({ host, provider }, { fingerprint, signal }) {
      signal?.throwIfAborted();
      const machine = machineOf(host);
      if (provider !== "local" && fingerprint !== machine.hostKey) throw mismatch(host);
      return openSession(openLink(machine, faults), read);
    },
  };
}

function openSession(link: Link, read: ReadCredential): HostSession {
  const { machine } = link;
  return {
    async observe(project, { signal, certain = false } = {}) {
      signal?.throwIfAborted();
      return link.call("observe", () => observeMachine(machine, project, { certain }));
    },
    lock: (project, options) => takeLock(link, project, options),
    readTree: (directory) => link.call("read tree", () => treeAt(machine, directory)),
    carryOut: (step, context) => carryOutInMemory(link, step, context, read),
    isAlive: () => link.isAlive(),
    async close() {
      link.close();
    },
  };
}

function treeAt({ projects }: Machine, directory: string): ReadonlyMap<string, Uint8Array> {
  const [project = "", hash = ""] = directory
    .split("/")
    .filter((_, index) => [5, 7].includes(index));
  const files = projects.get(project)?.releases.get(hash) ?? new Map<string, string>();
  return new Map([...files].map(([path, text]) => [path, Buffer.from(text)] as const));
}

async function takeLock(
  link: Link,
  project: string,
  options: { readonly holder: string; readonly signal?: AbortSignal | undefined },
): Promise<HostLock> {
  const { machine } = link;
  await link.call("lock", () => {});
  for (let held = machine.locks.get(project); held; held = machine.locks.get(project)) {
    await Promise.race([held.freed, aborted(options.signal)]);
  }
  const ended = new AbortController();
  const freed = Promise.withResolvers<void>();
  const free = () => {
    if (machine.locks.get(project) === lock) machine.locks.delete(project);
    freed.resolve();
  };
  const lock: MemoryLock = {
    holder: options.holder,
    freed: freed.promise,
    lose(reason) {
      free();
      ended.abort(reason);
    },
  };
  machine.locks.set(project, lock);
  link.onLost((reason) => lock.lose(reason));
  return {
    signal: ended.signal,
    async release() {
      free();
    },
  };
}

/** Takes a project's lock away from whoever holds it. */
export function loseLock(machine: Machine, project: string): void {
  machine.locks.get(project)?.lose(lockLost(machine.host));
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.throwIfAborted();
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function mismatch(host: string): AlError {
  return new AlError(`host ${host} offered another key than the approved one`, {
    code: "host-key-mismatch",
    blame: "user",
  });
}
