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

/**
 * Makes sure that what already had a name of ours is ours, so that repeating a creation is fine.
 * @throws AlError `name-taken` when it is somebody else's.
 */
export async function checkCreated(
  created: Created,
  what: string,
  input: StepInput,
  inspect: () => Promise<Labelled | undefined>,
): Promise<void> {
  if (created.kind === "created" || isOwn(await inspect(), input.spec.project)) return;
  throw new AlError(`host ${input.transport.host}: ${what} exists and is not ours`, {
    code: "name-taken",
    blame: "user",
    hint: "Rename or remove it on the host, and apply again.",
  });
}
