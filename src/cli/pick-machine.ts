import type { Readable, Writable } from "node:stream";
import { autocomplete, isCancel, log, select, text } from "@clack/prompts";
import { type AlError, toAlError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { Name } from "../config/names.ts";
import type { MachineCatalogue, MachineChoice, MachinePlan } from "../core/machine.ts";
import { errorText } from "./render/output.ts";
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

/** What a host is picked from, and what is checked meanwhile. */
export interface PickDeps {
  readonly catalogue: MachineCatalogue;
  /** Names of hosts that are there. */
  readonly taken: readonly string[];
  /** Throws AlError (user) when a choice cannot be had now. */
  readonly check: (choice: MachineChoice) => Promise<unknown>;
}

/**
 * Asks for a new host's name, region, plan and OS, from what is sold; undefined when that is left. A choice
 * that cannot be had now is told, and asked for again.
 * @throws AlError what `check` throws that is not about the choice.
 */
export async function pickMachine(
  { catalogue, taken, check }: PickDeps,
  streams: PickStreams = {},
): Promise<NewHost | undefined> {
  const name = await text({
    ...streams,
    message: "Name of the new host",
    placeholder: "web-1",
    validate: (value) => nameProblem(value ?? "", taken),
  });
  if (isCancel(name)) return undefined;
  for (;;) {
    const choice = await pickChoice(catalogue, streams);
    if (!choice) return undefined;
    const refusal = await refusalOf(choice, check);
    if (!refusal) return { name, ...choice };
    log.warn(errorText(refusal), streams);
  }
}

async function pickChoice(
  { regions, plans, oses }: MachineCatalogue,
  streams: PickStreams,
): Promise<MachineChoice | undefined> {
  const common = { ...streams, maxItems: SHOWN, validate: noneProblem };
  const region = await autocomplete({
    ...{ ...common, message: "Region" },
    options: regions
      .filter(({ id }) => plans.some(isSoldIn(id)))
      .map(({ id, city, country }) => ({
        value: id,
        label: printable(`${id}: ${city}, ${country}`),
      })),
  });
  if (isCancel(region)) return undefined;
  const plan = await autocomplete({
    ...{ ...common, message: "Plan" },
    options: plans
      .filter(isSoldIn(region))
      .map((one) => ({ value: one.id, label: printable(planText(one)) })),
  });
  if (isCancel(plan)) return undefined;
  const os = await select({
    ...{ ...streams, message: "Distribution" },
    options: oses.map((value) => ({ value, label: value })),
  });
  return isCancel(os) ? undefined : { region, plan, os };
}

/** Of a search that finds nothing there is nothing to take. */
function noneProblem(value: unknown): string | undefined {
  return value === undefined ? "Choose one." : undefined;
}

async function refusalOf(
  choice: MachineChoice,
  check: PickDeps["check"],
): Promise<AlError | undefined> {
  try {
    await check(choice);
    return undefined;
  } catch (thrown) {
    const error = toAlError(thrown);
    if (error.blame === "user" && error.code !== "provider-key-refused") return error;
    throw error;
  }
}

function isSoldIn(region: string): (plan: MachinePlan) => boolean {
  return ({ regions }) => regions.includes(region);
}

function nameProblem(name: string, taken: readonly string[]): string | undefined {
  const { success, error } = Name.safeParse(name);
  if (!success) return `It ${error.issues[0]?.message ?? "is not a name"}.`;
  return taken.includes(name) ? "A host of this name is in fleet.toml." : undefined;
}
