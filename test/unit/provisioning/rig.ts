import type { Clock } from "../../../src/base/clock.ts";
import { Secret } from "../../../src/base/secret.ts";
import type { MachineRecord } from "../../../src/core/machine.ts";
import { type EnsureMachineDeps, ensureMachine } from "../../../src/provisioning/ensure-machine.ts";
import type { MachineProvider, MachineRecords } from "../../../src/provisioning/ports.ts";
import { fetchFrom, killed, killedAfter } from "../../vultr/in-process.ts";
import { vultrRig } from "../../vultr/rig.ts";
import type { StandInOptions } from "../../vultr/stand-in.ts";
import { ORDER } from "./order.ts";

/** Records that outlive the processes that write them, one store an operator. */
export function memoryRecords(isDead: () => boolean = () => false) {
  const rows = new Map<string, MachineRecord>();
  const living = (): MachineRecords => recordsOn(rows, isDead);
  return { rows, living, seenBy: (dead: () => boolean) => recordsOn(rows, dead) };
}

function recordsOn(rows: Map<string, MachineRecord>, isDead: () => boolean): MachineRecords {
  let account: string | undefined;
  const alive = <T>(work: () => T): T => {
    if (isDead()) throw killed();
    return work();
  };
  return {
    machineRecord: (host) => alive(() => rows.get(host)),
    machineRecords: () => alive(() => [...rows.values()]),
    recordMachine: (record) => alive(() => void rows.set(record.host, record)),
    forgetMachine: (host) => alive(() => void rows.delete(host)),
    machineAccount: () => alive(() => account),
    recordAccount: (name) =>
      alive(() => {
        account = name;
      }),
  };
}

/** An account at the stand-in, an operator with records, and processes that may be killed. */
export function provisioningRig(options: StandInOptions = {}) {
  const rig = vultrRig(options);
  const records = memoryRecords();
  let count = 0;
  type Deps = EnsureMachineDeps & { readonly provider: MachineProvider };
  const deps = (more: Partial<Deps> = {}): Deps => ({
    provider: rig.provider(),
    records: records.living(),
    clock: rig.clock,
    newNonce: () => {
      count += 1;
      return `n${count}`;
    },
    firstBoot: async () => ({
      userData: new Secret(`#cloud-config\n{"key":${count + 1}}\n`),
      hostKey: `ssh-ed25519 KEY${count + 1}`,
    }),
    ...more,
  });
  return {
    ...rig,
    records,
    deps,
    ensure: (more: Partial<Deps> = {}) => ensureMachine(ORDER, deps(more)),
    /** The same, by a process that is killed before or after its n-th request. */
    async ensureKilled(requests: number, when: "before" | "after") {
      const process = killedAfter(fetchFrom(rig.standIn), requests, when);
      const clock: Clock = {
        now: () => rig.clock.now(),
        sleep: async (ms, signal) => {
          // The dead do not wait.
          if (process.isDead()) throw killed();
          await rig.clock.sleep(ms, signal);
        },
      };
      const provider = rig.provider({ fetch: process.fetch, clock });
      const cut = deps({ provider, clock, records: records.seenBy(process.isDead) });
      return ensureMachine(ORDER, cut).catch((thrown: unknown) => thrown);
    },
    /** Ids of the instances there are. */
    ids: () => [...rig.standIn.account.instances.keys()],
  };
}
