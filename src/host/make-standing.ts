import { doorContainerSpec } from "../core/door-container.ts";
import { ingressContainerSpec } from "../core/ingress-container.ts";
import { LABELS } from "../core/names.ts";
import type { Step } from "../core/plan.ts";
import { runtimeContainerSpec } from "../core/runtime-container.ts";
import type { ContainerSpec } from "../docker/container-spec.ts";
import type { StepInput } from "./carry-out.ts";
import { createOwn, isOwn } from "./own.ts";
import { prepareDoorDirectory, prepareIngressDirectories } from "./project-files.ts";

/** Steps that make a standing container, after removing one of its name that has a flaw. */
export type StandingStep = Extract<
  Step,
  { readonly kind: `${"create" | "replace"}-${"runtime" | "door" | "ingress"}` }
>;

/** Makes a standing container, and first the directories it sees: Docker mounts only what is there. */
export async function makeStanding(step: StandingStep, input: StepInput): Promise<void> {
  if (step.kind.startsWith("replace")) await removeOwnContainer(input, step.container.name);
  const { docker, signal } = input;
  const wanted = await prepared(step, input);
  await createOwn(`container ${wanted.name}`, input, {
    create: () => docker.createContainer(wanted, { signal }),
    inspect: () => docker.inspectContainer(wanted.name, { signal }),
  });
}

async function prepared(step: StandingStep, input: StepInput): Promise<ContainerSpec> {
  const labels = labelsOf(input);
  switch (step.kind) {
    case "create-runtime":
    case "replace-runtime":
      return runtimeContainerSpec(step.container, labels);
    case "create-door":
    case "replace-door":
      await prepareDoorDirectory(input);
      return doorContainerSpec(step.container, labels);
    case "create-ingress":
    case "replace-ingress":
      await prepareIngressDirectories(input, step.container.site.name);
      return ingressContainerSpec(step.container, labels);
  }
}

async function removeOwnContainer(input: StepInput, name: string): Promise<void> {
  const { docker, spec, signal } = input;
  const found = await docker.inspectContainer(name, { signal });
  if (isOwn(found, spec.project)) await docker.removeContainer(name, { force: true, signal });
}

/** Whose a thing is that is made on a host. */
export function labelsOf({ spec }: StepInput): Record<string, string> {
  return { [LABELS.host]: spec.host, [LABELS.project]: spec.project };
}
