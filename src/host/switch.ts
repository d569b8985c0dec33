import { LABELS } from "../core/names.ts";
import type { Current } from "../core/observed.ts";
import type { StepInput } from "./carry-out.ts";
import { removeCurrent, writeCurrent } from "./project-files.ts";

/**
 * Makes `current` live. A runtime that is no longer named stops by itself; it is stopped here too,
 * because the next one needs its port. Runs go on: they are containers of their own.
 */
export async function switchTo(current: Current, input: StepInput): Promise<void> {
  const { docker, signal } = input;
  await writeCurrent(input, current);
  await stopRuntimes(input, current.runtime);
  // Starting a container that runs is no error and changes nothing.
  await docker.startContainer(current.runtime, { signal });
}

/** Undoes a first deployment that was not confirmed: nothing is live, nothing runs. */
export async function withdraw(runtime: string, input: StepInput): Promise<void> {
  await removeCurrent(input);
  await input.docker.stopContainer(runtime, { graceSeconds: 10, signal: input.signal });
}

/** Stops the project's runtimes. Asks Docker anew: the runtime to stop may be one that this very pass created. */
export async function stopRuntimes(input: StepInput, except?: string): Promise<void> {
  const { docker, spec, signal } = input;
  const labels = { [LABELS.project]: spec.project, [LABELS.role]: "runtime" };
  const runtimes = await docker.listContainers(labels, { signal });
  const others = runtimes.filter(({ name, state }) => name !== except && state !== "exited");
  for (const { name } of others) {
    await docker.stopContainer(name, { graceSeconds: 10, signal });
  }
}
