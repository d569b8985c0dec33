import { expect, test } from "vitest";
import { checkSshd } from "../../src/provisioning/check-sshd.ts";
import type { ContactPort, MachinePlace } from "../../src/provisioning/ports.ts";
import { generateSshKeyPair } from "../../src/provisioning/ssh-key-pair.ts";

/** A new machine that has done its first boot, and a way to it. */
export interface ContactWorld {
  readonly contact: ContactPort;
  readonly place: MachinePlace;
  /** The key that was sent along with its order. */
  readonly firstKey: string;
}

/** What a way to new machines has to do, as the port says it; one machine goes through all of it. */
export function contactConformance(open: () => ContactWorld): void {
  const connect = (keys: readonly string[]) => open().contact.connect(open().place, keys);
  let own: string;

  test("nobody is spoken to who does not prove a key that was asked for", async () => {
    const { publicKey } = generateSshKeyPair();
    await expect(connect([publicKey])).rejects.toMatchObject({
      ...{ code: "host-key-mismatch", blame: "user" },
    });
  });

  test("a machine makes one key, however often it is asked, and proves the first until it takes it", async () => {
    const { firstKey } = open();
    const machine = await connect([generateSshKeyPair().publicKey, firstKey]);
    expect(await machine.lacks()).toBeUndefined();
    checkSshd("web-1", await machine.sshdSettings());
    own = await machine.ownHostKey(firstKey);
    expect(own).toMatch(/^ssh-ed25519 /);
    expect(own).not.toBe(firstKey);
    await machine.close();
    const again = await connect([firstKey]);
    expect(await again.ownHostKey(firstKey)).toBe(own);
    await again.close();
  });

  test("a key that the machine did not make is not taken", async () => {
    const machine = await connect([open().firstKey]);
    await expect(machine.takeHostKey(generateSshKeyPair().publicKey)).rejects.toThrow();
    await machine.close();
    await (await connect([open().firstKey])).close();
  });

  test("a machine that took its key proves it and no other, however often it is told", async () => {
    const { firstKey } = open();
    const machine = await connect([firstKey]);
    await machine.takeHostKey(own);
    await machine.takeHostKey(own);
    await machine.close();
    const prove = () => connect([own]).then((one) => one.close());
    await expect.poll(prove, { timeout: 10_000 }).toBeUndefined();
    const after = await connect([own]);
    expect(await after.ownHostKey(firstKey)).toBe(own);
    await after.close();
    await expect(connect([firstKey])).rejects.toMatchObject({ code: "host-key-mismatch" });
  });
}
