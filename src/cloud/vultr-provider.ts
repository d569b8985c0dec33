import { compareText } from "../core/fingerprint.ts";
import type {
  FirewallRule,
  Machine,
  MachineChoice,
  MachineRequest,
  MachineState,
  NamedItem,
} from "../core/machine.ts";
import { checkChoice, osNamed, vultrCatalogue } from "./vultr-choice.ts";
import { type VultrCall, vultrClient } from "./vultr-client.ts";
import { ensureFirewall, listFirewalls, removeFirewall } from "./vultr-firewall.ts";
import { firewallDifference } from "./vultr-firewall-difference.ts";
import type { SendToVultr } from "./vultr-http.ts";
import type { VultrInstance } from "./vultr-schemas.ts";

const NO_ADDRESS = ["", "0.0.0.0"];

/** Vultr as a provider of machines; satisfies the port of `provisioning`. */
export function vultrProvider(send: SendToVultr) {
  const client = vultrClient(send);
  return {
    name: "vultr",
    account: async (call: VultrCall = {}) => (await client.account(call)).name,
    catalogue: (call: VultrCall = {}) => vultrCatalogue(client, call),
    checkChoice: async (choice: MachineChoice, call: VultrCall = {}) =>
      (await checkChoice(client, choice, call)).plan,
    async createMachine(request: MachineRequest, call: VultrCall = {}): Promise<Machine> {
      const { osId } = await checkChoice(client, request, call);
      return machineOf(await client.createInstance(newInstance(request, osId), call));
    },
    async findMachines(tag: string, call: VultrCall = {}): Promise<readonly Machine[]> {
      // The filter ignores case; a tag of ours has none.
      const found = (await client.instances(tag, call)).map(machineOf);
      return found.filter(({ tags }) => tags.includes(tag)).sort(byAge);
    },
    async getMachine(id: string, call: VultrCall = {}): Promise<Machine | undefined> {
      const found = await client.instance(id, call);
      return found && machineOf(found);
    },
    deleteMachine: (id: string, call: VultrCall = {}) => client.deleteInstance(id, call),
    ensureFirewall: (
      firewall: { readonly name: string; readonly rules: readonly FirewallRule[] },
      call: VultrCall = {},
    ) => ensureFirewall(client, firewall, call),
    firewallDifference: (
      firewall: { readonly name: string; readonly rules: readonly FirewallRule[] },
      call: VultrCall = {},
    ) => firewallDifference(client, firewall, call),
    removeFirewall: (name: string, call: VultrCall = {}) => removeFirewall(client, name, call),
    listFirewalls: (call: VultrCall = {}) => listFirewalls(client, call),
    async removeSshKey(name: string, call: VultrCall = {}): Promise<void> {
      const keys = (await client.sshKeys(call)).filter((key) => key.name === name);
      for (const { id } of keys) await client.deleteSshKey(id, call);
    },
    async listSshKeys(call: VultrCall = {}): Promise<readonly NamedItem[]> {
      return (await client.sshKeys(call)).map(({ id, name }) => ({ id, name }));
    },
  };
}

function newInstance(request: MachineRequest, osId: number) {
  const { region, plan, name, tags, userData, ipv6, firewallId } = request;
  return {
    region,
    plan,
    os_id: osId,
    label: name,
    hostname: name,
    tags,
    user_data: userData.revealBytes().toString("base64"),
    enable_ipv6: ipv6,
    backups: "disabled",
    activation_email: false,
    ...(firewallId === undefined ? {} : { firewall_group_id: firewallId }),
  } as const;
}

function machineOf(instance: VultrInstance): Machine {
  const address = NO_ADDRESS.includes(instance.main_ip) ? undefined : instance.main_ip;
  return {
    id: instance.id,
    state: stateOf(instance, address),
    address,
    ipv6: instance.v6_main_ip || undefined,
    region: instance.region,
    plan: instance.plan,
    os: osNamed(instance.os),
    tags: instance.tags ?? [],
    firewallId: instance.firewall_group_id || undefined,
    createdAtMs: Date.parse(instance.date_created),
  };
}

/** Power means nothing before the first boot is done. */
function stateOf(instance: VultrInstance, address: string | undefined): MachineState {
  if (instance.status === "suspended") return "suspended";
  const isBooted = instance.status === "active" && instance.server_status === "ok";
  if (!isBooted || address === undefined) return "starting";
  return instance.power_status === "running" ? "ready" : "stopped";
}

function byAge(a: Machine, b: Machine): number {
  return a.createdAtMs - b.createdAtMs || compareText(a.id, b.id);
}
