import type { Clock } from "../base/clock.ts";
import type { HostKeyPins, MachinePlace, MachineRecords, RotationPort } from "./ports.ts";
import { proveKey } from "./prove-key.ts";

/** What {@link rotateHostKey} works with. */
export interface RotateKeyDeps {
  readonly contact: RotationPort;
  readonly pins: HostKeyPins;
  readonly records: Pick<MachineRecords, "machineRecord" | "recordMachine">;
  readonly clock: Clock;
  /** Tells people of the key, before it alone is believed. May be repeated. */
  publish(hostKey: string): Promise<void>;
}

/** What a rotation is at. */
export type RotateStep = "make" | "take" | "prove" | "approve";

/** How it is watched and ended. */
export interface RotateOptions {
  /** Told of every step that begins. */
  readonly onStep?: (step: RotateStep) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Replaces a host's key by one that the host makes itself. From before the host takes it until it is
 * approved either key is believed, so that passes go on whatever cuts this off; calling it again then
 * finishes. The new key is approved when the host has proved it.
 *
 * @returns the public half of the key that the host has then.
 * @throws AlError what {@link RotationPort} throws, `machine-not-up` (transient), or what `publish` throws.
 */
export async function rotateHostKey(
  place: MachinePlace,
  deps: RotateKeyDeps,
  { onStep = () => {}, signal }: RotateOptions = {},
): Promise<string> {
  const { contact, pins } = deps;
  const { host } = place;
  onStep("make");
  const offered = await contact.believedKey(place, { signal });
  const machine = await contact.connect(place, [offered], { signal });
  let next: string;
  try {
    // What is believed and not approved is the next key of a rotation that was cut off.
    const isOld = pins.isApproved(host, offered);
    next = isOld ? await machine.ownHostKey(offered, { signal }) : offered;
    onStep("take");
    pins.expect(host, next);
    await machine.takeHostKey(next, { signal });
  } finally {
    await machine.close();
  }
  onStep("prove");
  await proveKey(place, next, deps, { signal });
  onStep("approve");
  recordProved(host, next, deps);
  await deps.publish(next);
  pins.approve(place, next);
  return next;
}

/** A machine of ours: `al provision` finishes what is cut off between this and the approval. */
function recordProved(host: string, ownKey: string, { records }: RotateKeyDeps): void {
  const record = records.machineRecord(host);
  if (!record?.machine) return;
  records.recordMachine({ ...record, machine: { ...record.machine, ownKey } });
}
