import { randomUUID } from "node:crypto";
import type { Clock } from "../../src/base/clock.ts";
import type { NewInstance } from "./answers.ts";
import { catalogue } from "./catalogue.ts";

/** What makes an instance a machine that can be connected to; without it addresses are made up. */
export interface BootMachine {
  /** Boots a machine with exactly this user data; resolves when it has an address. */
  boot(machine: { id: string; hostname: string; userData: string }): Promise<{ address: string }>;
  destroy(id: string): Promise<void>;
}

/** How an account of the stand-in behaves. */
export interface AccountOptions {
  readonly clock: Clock;
  readonly machines?: BootMachine;
  /** Until an instance is active with an address; default 20 seconds. */
  readonly activeAfterMs?: number;
  /** Until it has booted; default 50 seconds. */
  readonly bootedAfterMs?: number;
  /** Until lists and GET show a new instance; default 0. */
  readonly visibleAfterMs?: number;
}

/** What a test may change while the stand-in runs. */
export interface AccountSwitches {
  maxInstances: number;
  neverBoots: boolean;
  /** Whose account it is. */
  email: string;
  /** `region plan`, as in `ams vc2-1c-1gb`. */
  readonly soldOut: Set<string>;
}

/** An instance as it was ordered; what it looks like follows from the time. */
export interface StoredInstance {
  readonly id: string;
  readonly body: NewInstance;
  readonly createdMs: number;
  readonly number: number;
  firewallGroupId: string;
  /** Shown for some minutes. */
  readonly password: string;
  /** Set by a boot hook. */
  address: string | undefined;
}

/** A firewall rule as Vultr lists it. */
export interface StoredRule {
  readonly id: number;
  readonly ip_type: string;
  readonly protocol: string;
  readonly port: string;
  readonly subnet: string;
  readonly subnet_size: number;
  readonly source: string;
  readonly notes: string;
}

const BOOTED_AFTER_MS = 50_000;
/** For about as long `default_password` is shown. */
const PASSWORD_MS = 10 * 60_000;

/** One account at the stand-in: what was made, and nothing of HTTP. */
export class VultrAccountState {
  readonly instances = new Map<string, StoredInstance>();
  readonly sshKeys = new Map<string, { name: string; ssh_key: string; createdMs: number }>();
  readonly groups = new Map<
    string,
    { description: string; createdMs: number; rules: StoredRule[]; lastRule: number }
  >();
  readonly switches: AccountSwitches = {
    maxInstances: 10,
    neverBoots: false,
    email: "ops@example.com",
    soldOut: new Set(),
  };
  /** Addresses that the next instances get, as if others had given them back. */
  readonly nextAddresses: string[] = [];
  /** Every instance there ever was; ids of those that were removed are still here. */
  readonly everMade: string[] = [];
  readonly #options: AccountOptions;

  constructor(options: AccountOptions) {
    this.#options = options;
  }

  now(): number {
    return this.#options.clock.now();
  }

  /** A public key under this name; its id. */
  putSshKey({ name, ssh_key }: { readonly name: string; readonly ssh_key: string }): string {
    const id = randomUUID();
    this.sshKeys.set(id, { name, ssh_key, createdMs: this.now() });
    return id;
  }

  create(body: NewInstance): StoredInstance {
    const instance: StoredInstance = {
      ...{ id: randomUUID(), body, createdMs: this.now(), number: this.everMade.length + 1 },
      ...{ firewallGroupId: body.firewall_group_id ?? "", address: this.nextAddresses.shift() },
      password: `password-${randomUUID()}`,
    };
    this.instances.set(instance.id, instance);
    this.everMade.push(instance.id);
    const { id } = instance;
    const userData = Buffer.from(body.user_data ?? "", "base64").toString("utf8");
    this.#options.machines
      ?.boot({ id, hostname: body.hostname ?? "vultr", userData })
      .then(({ address }) => {
        instance.address = address;
      })
      // One that does not boot stays as it is, as it would there.
      .catch(() => undefined);
    return instance;
  }

  async delete(id: string): Promise<void> {
    this.instances.delete(id);
    await this.#options.machines?.destroy(id);
  }

  /** While it is installed; one that a hook boots is not. */
  isLocked({ createdMs }: StoredInstance): boolean {
    const { machines, bootedAfterMs = BOOTED_AFTER_MS } = this.#options;
    return !machines && this.now() - createdMs < bootedAfterMs;
  }

  isVisible({ createdMs }: StoredInstance): boolean {
    return this.now() - createdMs >= (this.#options.visibleAfterMs ?? 0);
  }

  /** An instance in Vultr's words, at this moment of its life. */
  show(instance: StoredInstance) {
    const { id, body, createdMs } = instance;
    const phase = this.#phase(instance);
    const plan = catalogue.plans.find((one) => one.id === body.plan);
    const isNew = this.now() - createdMs < PASSWORD_MS;
    return {
      ...{ id, plan: body.plan, region: body.region, os_id: body.os_id },
      ...(isNew && { default_password: instance.password }),
      ...{ os: catalogue.os.find((one) => one.id === body.os_id)?.name ?? "" },
      ...{
        ram: plan?.ram ?? 0,
        disk: phase === "none" ? 0 : plan?.disk,
        main_ip: this.#ip(instance),
      },
      ...{ vcpu_count: plan?.vcpu_count ?? 0, date_created: vultrDate(createdMs) },
      ...{
        status: phase === "none" ? "pending" : "active",
        power_status: phase === "none" ? "stopped" : "running",
      },
      ...{
        server_status: phase,
        label: body.label ?? "",
        hostname: body.hostname ?? "vultr.guest",
      },
      ...{ v6_main_ip: body.enable_ipv6 && phase !== "none" ? `2001:db8::${instance.number}` : "" },
      ...{ tags: body.tags ?? [], firewall_group_id: instance.firewallGroupId },
      ...(phase === "none"
        ? { gateway_v4: "0.0.0.0", netmask_v4: "", kvm: "" }
        : {
            gateway_v4: "192.0.2.254",
            netmask_v4: "255.255.255.0",
            kvm: "https://vnc.test/secret",
          }),
      ...{ internal_ip: "", user_scheme: "root", features: body.enable_ipv6 ? ["ipv6"] : [] },
    };
  }

  #ip(instance: StoredInstance): string {
    if (this.#phase(instance) === "none") return "0.0.0.0";
    return instance.address ?? `192.0.2.${instance.number}`;
  }

  #phase(instance: StoredInstance): "none" | "installingbooting" | "ok" {
    if (this.#options.machines) {
      if (instance.address === undefined) return "none";
      return this.switches.neverBoots ? "installingbooting" : "ok";
    }
    const { activeAfterMs = 20_000, bootedAfterMs = BOOTED_AFTER_MS } = this.#options;
    const ageMs = this.now() - instance.createdMs;
    if (ageMs < activeAfterMs) return "none";
    return ageMs < bootedAfterMs || this.switches.neverBoots ? "installingbooting" : "ok";
  }
}

/** Seconds only, with an offset instead of `Z`. */
export function vultrDate(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "+00:00");
}
