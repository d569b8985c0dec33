import { AlError } from "../../../src/base/errors.ts";
import { SSHD_HARDENED } from "../../../src/provisioning/check-sshd.ts";
import type {
  ContactPort,
  HostKeyPins,
  MachinePlace,
  NewMachine,
  RotationPort,
} from "../../../src/provisioning/ports.ts";
import { killed } from "../../vultr/in-process.ts";
import type { VultrStandIn } from "../../vultr/stand-in.ts";

/** A machine's host keys, as they lie on its disk. */
interface Keys {
  /** What sshd proves itself with. */
  current: string;
  /** Made, and not taken yet. */
  next: string | undefined;
  /** What sshd had before. */
  before: string | undefined;
}

/** Machines of the stand-in as sshd shows them, with what may go wrong there. */
export function memoryMachines(standIn: VultrStandIn) {
  const machines = new Map<string, Keys>();
  const faults = {
    /** Connections that are refused before the first is accepted. */
    silent: 0,
    /** Looks at a machine until it lacks nothing. */
    lacking: 0,
    /** Its first boot is over, and was in vain. */
    broken: false,
    /** Connections for which sshd goes on with its old key. */
    stale: 0,
    /** What sshd starts with instead of our first settings. */
    sshd: [] as string[],
    /** The user's key is not the one that it was made with. */
    locked: false,
    /** Somebody else has the address. */
    impostor: false,
  };
  let made = 0;
  const at = (address: string): Keys => {
    const { account } = standIn;
    const instance = [...account.instances.values()].find(
      (one) => account.show(one).main_ip === address,
    );
    const id = instance?.id ?? address;
    const known = machines.get(id);
    if (known) return known;
    const userData = Buffer.from(instance?.body.user_data ?? "", "base64").toString("utf8");
    const keys = { current: firstKeyOf(userData), next: undefined, before: undefined };
    machines.set(id, keys);
    return keys;
  };
  /** What answers there proves. */
  const offered = (place: MachinePlace): string => {
    if (faults.silent-- > 0) throw problem("unreachable", "transient");
    const keys = at(place.address);
    const isStale = keys.before !== undefined && faults.stale-- > 0;
    const sshd = isStale ? (keys.before ?? "") : keys.current;
    return faults.impostor ? "ssh-ed25519 OTHER" : sshd;
  };
  const connect = (place: MachinePlace, hostKeys: readonly string[]): NewMachine => {
    if (!hostKeys.includes(offered(place))) throw problem("host-key-mismatch", "user");
    if (faults.locked) throw problem("auth-failed", "user");
    const keys = at(place.address);
    return {
      async lacks() {
        if (faults.broken) throw problem("first-boot-failed", "user");
        return faults.lacking-- > 0 ? "cloud-init" : undefined;
      },
      sshdSettings: async () =>
        [...faults.sshd, ...SSHD_HARDENED.slice(faults.sshd.length)].join("\n"),
      async ownHostKey(first) {
        if (keys.current !== first) return keys.current;
        made += keys.next === undefined ? 1 : 0;
        keys.next ??= `ssh-ed25519 OWN${made}`;
        return keys.next;
      },
      async takeHostKey(own) {
        if (keys.current === own) return;
        if (keys.next !== own) throw problem("no-such-key", "bug");
        Object.assign(keys, { current: own, next: undefined, before: keys.current });
      },
      close: async () => {},
    };
  };
  return { faults, at, offered, connect };
}

/** A way to these machines whose process is killed at its n-th call; never, without a number. */
export function contactUntil(
  { offered, connect }: Pick<ReturnType<typeof memoryMachines>, "offered" | "connect">,
  { calls = Number.POSITIVE_INFINITY, when = "before" as "before" | "after" } = {},
) {
  let count = 0;
  const call = async <T>(work: () => T | Promise<T>): Promise<T> => {
    if (count >= calls) throw killed();
    count += 1;
    if (count < calls) return work();
    if (when === "after") await work();
    throw killed();
  };
  const contact: ContactPort = {
    connect: (place, hostKeys) =>
      call(() => {
        const machine = connect(place, hostKeys);
        return {
          lacks: () => call(() => machine.lacks()),
          sshdSettings: () => call(() => machine.sshdSettings()),
          ownHostKey: (first) => call(() => machine.ownHostKey(first)),
          takeHostKey: (own) => call(() => machine.takeHostKey(own)),
          close: async () => {},
        };
      }),
  };
  const isDead = () => count >= calls;
  /** The same for hosts; what they offer is believed if it is among these. */
  const rotation = (believed: (host: string) => readonly string[]): RotationPort => ({
    ...contact,
    believedKey: (place) =>
      call(() => {
        const key = offered(place);
        if (!believed(place.host).includes(key)) throw problem("host-key-mismatch", "user");
        return key;
      }),
  });
  return { contact, rotation, isDead };
}

/** Approvals that outlive the processes that write them. */
export function memoryApprovals() {
  const keys = new Map<string, string>();
  const next = new Map<string, string>();
  const seenBy = (isDead: () => boolean): HostKeyPins => ({
    isApproved: (host, hostKey) => keys.get(host) === hostKey,
    expect(host, hostKey) {
      if (isDead()) throw killed();
      next.set(host, hostKey);
    },
    approve({ host }, hostKey) {
      if (isDead()) throw killed();
      keys.set(host, hostKey);
      next.delete(host);
    },
  });
  /** What passes accept. */
  const believed = (host: string) =>
    [keys.get(host), next.get(host)].filter((key) => key !== undefined);
  return { keys, believed, seenBy };
}

/** What the rig's user data gives as the first key. */
function firstKeyOf(userData: string): string {
  return `ssh-ed25519 KEY${/"key":(\d+)/.exec(userData)?.[1] ?? "?"}`;
}

function problem(code: string, blame: "transient" | "user" | "bug"): AlError {
  return new AlError(code, { code, blame });
}
