import type { Clock } from "../base/clock.ts";
import { AlError, toAlError } from "../base/errors.ts";
import type { ContactPort, MachinePlace, ProviderCall } from "./ports.ts";

/** How long sshd may go on with the old key, or be away, after it was told of the new one. */
const RELOAD_MS = 30_000;

/**
 * Waits until a machine proves this key over a new connection: sshd reads its keys again within a moment;
 * until then it proves the old one, or is away.
 * @throws AlError `machine-not-up` (transient) after 30 seconds, or the connection's.
 */
export async function proveKey(
  place: MachinePlace,
  own: string,
  { contact, clock }: { readonly contact: ContactPort; readonly clock: Clock },
  { signal }: ProviderCall = {},
): Promise<void> {
  const start = clock.now();
  for (;;) {
    try {
      const again = await contact.connect(place, [own], { signal });
      return await again.close();
    } catch (thrown) {
      signal?.throwIfAborted();
      const error = toAlError(thrown);
      const isOld = error.code === "host-key-mismatch";
      if (!isOld && error.blame !== "transient") throw error;
      if (clock.now() - start > RELOAD_MS) {
        throw machineNotUp(place, isOld ? "it does not take its new host key" : error.message);
      }
    }
    await clock.sleep(1_000, signal);
  }
}

/** What is waited for in vain. */
export function machineNotUp({ host, address, port }: MachinePlace, why: string): AlError {
  return new AlError(`host ${host}: the machine at ${address}:${port} is not up: ${why}`, {
    code: "machine-not-up",
    blame: "transient",
    hint: "Run the same command again to go on waiting; the provider's console shows what it is doing.",
  });
}
