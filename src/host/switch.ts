import { AlError, toAlError } from "../base/errors.ts";
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
  await docker.startContainer(current.runtime, { signal }).catch((thrown) => {
    throw portTaken(thrown) ?? thrown;
  });
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

/** What Docker says, in its various versions, when something else listens on the host's loopback. */
const TAKEN = /(127\.0\.0\.1:\d+)\b.*\balready (?:allocated|in use)/s;

function portTaken(thrown: unknown): AlError | undefined {
  const failure = toAlError(thrown);
  const address = TAKEN.exec(failure.message)?.[1];
  if (address === undefined) return undefined;
  return new AlError(`${address} of the host is taken, and webhooks are to be received there`, {
    code: "port-taken",
    blame: "user",
    hint: "Each project on a host needs a port of its own: set `port` in [gateway] of config.toml, commit, and: al apply. What has it now: ss -ltnp",
    cause: thrown,
  });
}
