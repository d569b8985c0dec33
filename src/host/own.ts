import { setTimeout as delay } from "node:timers/promises";
import { AlError } from "../base/errors.ts";
import { LABELS } from "../core/names.ts";
import type { Created } from "../docker/container-calls.ts";
import type { StepInput } from "./carry-out.ts";

interface Labelled {
  readonly labels: Readonly<Record<string, string>>;
}

/** True for what is there and carries the project's label; nothing else may be touched. */
export function isOwn(found: Labelled | undefined, project: string): boolean {
  return found?.labels[LABELS.project] === project;
}

/** How something with a name of ours is made, and looked at. */
interface Creation {
  readonly create: () => Promise<Created>;
  readonly inspect: () => Promise<Labelled | undefined>;
  /** True for a refusal that an earlier attempt, still under way on the engine, would explain. */
  readonly isBusy?: (thrown: unknown) => boolean;
}

const FREED_WITHIN_MS = 10_000;

/**
 * Makes something under a name of ours; when it is there already, that must be ours. A name that is
 * taken by nothing is one whose creation was cut off and is being undone by the engine (seen on Docker
 * 28): it is free in a moment, and asked for again until then.
 * @throws AlError `name-taken` when it is somebody else's, `name-busy` (transient) when it stays so.
 */
export async function createOwn(
  what: string,
  input: StepInput,
  { create, inspect, isBusy = () => false }: Creation,
): Promise<void> {
  const deadline = Date.now() + FREED_WITHIN_MS;
  const attempt = async (): Promise<Created> => {
    try {
      return await create();
    } catch (thrown) {
      if (Date.now() > deadline || !isBusy(thrown)) throw thrown;
      return { kind: "exists" };
    }
  };
  for (;;) {
    if ((await attempt()).kind === "created") return;
    const found = await inspect();
    if (isOwn(found, input.spec.project)) return;
    if (found) throw nameTaken(input.transport.host, what);
    if (Date.now() > deadline) throw nameBusy(input.transport.host, what);
    await delay(100, undefined, { signal: input.signal });
  }
}

function nameTaken(host: string, what: string): AlError {
  return new AlError(`host ${host}: ${what} exists and is not ours`, {
    code: "name-taken",
    blame: "user",
    hint: "Rename or remove it on the host, and apply again.",
  });
}

function nameBusy(host: string, what: string): AlError {
  return new AlError(`host ${host}: the name of ${what} is taken, but nothing has it`, {
    code: "name-busy",
    blame: "transient",
    hint: "Docker is still undoing an earlier attempt; apply again, or restart Docker on the host.",
  });
}
