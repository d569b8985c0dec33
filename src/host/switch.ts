import { LABELS, STANDING_ROLES } from "../core/names.ts";
import type { Current } from "../core/observed.ts";
import type { StepInput } from "./carry-out.ts";
import { portTaken } from "./port-taken.ts";
import { removeCurrent, writeCurrent } from "./project-files.ts";

/**
 * Makes `current` live. A runtime that is no longer named would stop by itself, but turn senders away until
 * then, and the next one, or a door, needs its port: it is stopped first. A door that stays is not touched:
 * it holds senders until the runtime answers. Runs go on: they are containers of their own. What was stopped
 * for a switch that then cannot be written, as on a full disk, is started again: it is still what is live.
 */
export async function switchTo(current: Current, input: StepInput): Promise<void> {
  const named = [current.runtime, current.door, current.ingress].filter(
    (name) => name !== undefined,
  );
  const stopped = await stopStanding(input, named);
  try {
    await writeCurrent(input, current);
  } catch (thrown) {
    await startAll(input, stopped);
    throw thrown;
  }
  const failed = (await startAll(input, named)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw portTaken(failed.reason) ?? failed.reason;
}

/** Starting a container that runs is no error and changes nothing. A door that cannot start keeps no runtime down. */
function startAll({ docker, signal }: StepInput, names: readonly string[]) {
  return Promise.allSettled(names.map((name) => docker.startContainer(name, { signal })));
}

/** Undoes a first deployment that was not confirmed: nothing is live, nothing runs. */
export async function withdraw(input: StepInput): Promise<void> {
  await removeCurrent(input);
  await stopStanding(input);
}

/**
 * Stops the project's standing containers, runtimes first: the door holds what they finish. Asks Docker
 * anew: what is to be stopped may be what this very pass created. Returns the names of those that ran.
 */
export async function stopStanding(
  input: StepInput,
  except: readonly string[] = [],
): Promise<readonly string[]> {
  const { docker, spec, signal } = input;
  const labels = { [LABELS.project]: spec.project, [LABELS.role]: true } as const;
  const found = await docker.listContainers(labels, { signal });
  const ran: string[] = [];
  for (const role of STANDING_ROLES) {
    const others = found
      .filter((container) => container.labels[LABELS.role] === role)
      .filter(({ name, state }) => !except.includes(name) && state !== "exited");
    for (const { name, state } of others) {
      await docker.stopContainer(name, { graceSeconds: 10, signal });
      if (state === "running" || state === "restarting") ran.push(name);
    }
  }
  return ran;
}
