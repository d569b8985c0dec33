import { AlError } from "../base/errors.ts";
import { compareText } from "../core/fingerprint.ts";
import {
  MACHINE_OSES,
  type MachineCatalogue,
  type MachineChoice,
  type MachineOs,
  type MachinePlan,
} from "../core/machine.ts";
import type { VultrCall, VultrClient } from "./vultr-client.ts";
import type { VultrOs, VultrPlan } from "./vultr-schemas.ts";

/** What Vultr calls our distributions; the ids behind the names are looked up. */
const OS_NAMES: Readonly<Record<MachineOs, string>> = {
  "debian-13": "Debian 13 x64 (trixie)",
  "debian-12": "Debian 12 x64 (bookworm)",
  "ubuntu-24.04": "Ubuntu 24.04 LTS x64",
};

/** The distribution behind a name of Vultr's; undefined for one that no host is made with. */
export function osNamed(name: string): MachineOs | undefined {
  return MACHINE_OSES.find((os) => OS_NAMES[os] === name);
}

/** A choice that can be had now. */
export interface CheckedChoice {
  readonly plan: MachinePlan;
  readonly osId: number;
}

/** Everything Vultr sells that a host can be made of. */
export async function vultrCatalogue(
  client: VultrClient,
  call: VultrCall,
): Promise<MachineCatalogue> {
  const { regions, plans, oses } = await readLists(client, call);
  return {
    regions: regions.toSorted((a, b) => compareText(a.id, b.id)),
    plans: plans.map(planOf).sort((a, b) => a.monthlyUsd - b.monthlyUsd || compareText(a.id, b.id)),
    oses: MACHINE_OSES.filter((os) => osId(oses, os) !== undefined),
  };
}

/**
 * Makes certain, before anything is made, that a choice can be had now.
 * @throws AlError `no-such-region`, `no-such-plan`, `plan-not-in-region`, `plan-sold-out`,
 * `no-such-os` (user), naming what can be had.
 */
export async function checkChoice(
  client: VultrClient,
  { region, plan: id, os }: MachineChoice,
  call: VultrCall,
): Promise<CheckedChoice> {
  const { regions, plans, oses } = await readLists(client, call);
  if (!regions.some((one) => one.id === region)) {
    throw cannotHave("no-such-region", `Vultr has no region \`${region}\``, {
      regions: regions.map((one) => one.id),
    });
  }
  const found = plans.find((one) => one.id === id);
  if (!found) {
    throw cannotHave("no-such-plan", `Vultr has no plan \`${id}\``, {
      [`plans in ${region}`]: cheapestIn(plans, region),
    });
  }
  const image = osId(oses, os);
  if (image === undefined) {
    throw cannotHave("no-such-os", `Vultr has no image \`${OS_NAMES[os]}\` for ${os}`, {
      oses: MACHINE_OSES.filter((one) => osId(oses, one) !== undefined),
    });
  }
  await checkStock(client, { region, plan: found }, call);
  return { plan: planOf(found), osId: image };
}

async function readLists(client: VultrClient, call: VultrCall) {
  const [regions, plans, oses] = await Promise.all([
    client.regions(call),
    client.plans(call),
    client.oses(call),
  ]);
  return { regions, plans, oses };
}

async function checkStock(
  client: VultrClient,
  { region, plan }: { region: string; plan: VultrPlan },
  call: VultrCall,
): Promise<void> {
  const others = plan.locations.filter((one) => one !== region);
  const elsewhere = { [`regions with ${plan.id}`]: others };
  if (!plan.locations.includes(region)) {
    const what = `Vultr has no plan \`${plan.id}\` in region \`${region}\``;
    throw cannotHave("plan-not-in-region", what, elsewhere);
  }
  if ((await client.available(region, call)).includes(plan.id)) return;
  const what = `plan \`${plan.id}\` is sold out in region \`${region}\` at the moment`;
  throw cannotHave("plan-sold-out", what, elsewhere);
}

function planOf(plan: VultrPlan): MachinePlan {
  return {
    id: plan.id,
    cpus: plan.vcpu_count,
    memoryMb: plan.ram,
    diskGb: plan.disk,
    monthlyUsd: plan.monthly_cost,
    regions: plan.locations.toSorted(compareText),
  };
}

function osId(oses: readonly VultrOs[], os: MachineOs): number | undefined {
  return oses.find(({ name }) => name === OS_NAMES[os])?.id;
}

function cheapestIn(plans: readonly VultrPlan[], region: string): string[] {
  return plans
    .filter(({ locations }) => locations.includes(region))
    .sort((a, b) => a.monthly_cost - b.monthly_cost || compareText(a.id, b.id))
    .slice(0, 10)
    .map(({ id }) => id);
}

function cannotHave(
  code: string,
  message: string,
  choices: Readonly<Record<string, readonly string[]>>,
): AlError {
  const lists = Object.entries(choices).map(
    ([what, names]) => `${what}: ${names.toSorted(compareText).join(", ") || "none"}`,
  );
  return new AlError(message, {
    code,
    blame: "user",
    hint: `Choose among these ${lists.join("; ")}`,
  });
}
