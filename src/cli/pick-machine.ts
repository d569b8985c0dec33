import type { Readable, Writable } from "node:stream";
import { autocomplete, isCancel, select, text } from "@clack/prompts";
import { Name } from "../config/names.ts";
import type { MachineCatalogue, MachineChoice, MachinePlan } from "../core/machine.ts";
import { planText } from "./render/provision.ts";

const SHOWN = 10;

/** A host to be, and its machine. */
export interface NewHost extends MachineChoice {
  readonly name: string;
}

/** Where questions are asked; default the terminal. */
export interface PickStreams {
  readonly input?: Readable;
  readonly output?: Writable;
}

/** Asks for a new host's name, region, plan and OS, from what is sold; undefined when that is left. */
export async function pickMachine(
  { regions, plans, oses }: MachineCatalogue,
  taken: readonly string[],
  streams: PickStreams = {},
): Promise<NewHost | undefined> {
  const name = await text({
    ...streams,
    message: "Name of the new host",
    placeholder: "web-1",
    validate: (value) => nameProblem(value ?? "", taken),
  });
  if (isCancel(name)) return undefined;
  const region = await autocomplete({
    ...{ ...streams, message: "Region", maxItems: SHOWN },
    options: regions.map(({ id, city, country }) => ({
      value: id,
      label: `${id}: ${city}, ${country}`,
    })),
  });
  if (isCancel(region)) return undefined;
  const plan = await autocomplete({
    ...{ ...streams, message: "Plan", maxItems: SHOWN },
    options: plans.filter(isSoldIn(region)).map((one) => ({ value: one.id, label: planText(one) })),
  });
  if (isCancel(plan)) return undefined;
  const os = await select({
    ...{ ...streams, message: "Distribution" },
    options: oses.map((value) => ({ value, label: value })),
  });
  return isCancel(os) ? undefined : { name, region, plan, os };
}

function isSoldIn(region: string): (plan: MachinePlan) => boolean {
  return ({ regions }) => regions.includes(region);
}

function nameProblem(name: string, taken: readonly string[]): string | undefined {
  const { success, error } = Name.safeParse(name);
  if (!success) return `It ${error.issues[0]?.message ?? "is not a name"}.`;
  return taken.includes(name) ? "A host of this name is in fleet.toml." : undefined;
}
