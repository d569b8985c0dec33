import { assertNever } from "../base/assert-never.ts";
import { hasCode } from "../base/errors.ts";
import { inventoryWithout, isListed } from "../core/inventory.ts";
import type { Inventory, InventoryItem } from "../core/observed.ts";
import type { Step, StepResult } from "../core/plan.ts";
import { removePaths } from "../transport/files.ts";
import type { StepInput } from "./carry-out.ts";
import { isOwn } from "./own.ts";
import { readInventory, writeInventory } from "./project-files.ts";
import { removeRules } from "./remove-rules.ts";

/**
 * Deletes one thing our inventory lists, then takes it off the list. What is still in use, or must
 * outlast something else, stays, on the host and on the list, and is tried again by a later pass. What
 * somebody else put under a listed name only leaves the list.
 */
export async function removeItem(
  { item, after }: Extract<Step, { kind: "remove" }>,
  input: StepInput,
): Promise<StepResult> {
  if (after && isListed(await readInventory(input), after)) {
    return { kind: "kept", reason: `${after.kind} ${after.id} is still there` };
  }
  try {
    const kept = await deleteItem(item, input);
    if (kept !== undefined) return { kind: "kept", reason: kept };
  } catch (thrown) {
    if (!hasCode(thrown, "docker-conflict") && !hasCode(thrown, "docker-refused")) throw thrown;
    return { kind: "kept", reason: thrown.message };
  }
  const inventory: Inventory = await readInventory(input);
  await writeInventory(input, inventoryWithout(inventory, item));
  return { kind: "done" };
}

/** @returns why it stays, if it does. */
async function deleteItem(item: InventoryItem, input: StepInput): Promise<string | undefined> {
  const { docker, signal, observed, spec } = input;
  const { projectDir: root } = observed.facts;
  const options = { signal };
  switch (item.kind) {
    case "container": {
      const found = await docker.inspectContainer(item.id, options);
      if (!isOwn(found, spec.project)) return undefined;
      await docker.removeContainer(item.id, { force: true, ...options });
      return undefined;
    }
    case "network": {
      const found = await docker.inspectNetwork(item.id, options);
      if (isOwn(found, spec.project)) await docker.removeNetwork(item.id, options);
      return undefined;
    }
    case "rules":
      return removeRules(input);
    case "image": {
      const found = await docker.inspectImage(item.id, options);
      if (isOwn(found, spec.project)) await docker.removeImage(item.id, options);
      return undefined;
    }
    case "release":
      await removePaths(input.transport, [`${root}/releases/${item.id}`], { root, signal });
      return undefined;
    case "credentials":
      await removePaths(input.transport, [`${root}/credentials/${item.id}`], { root, signal });
      return undefined;
    case "certificates":
      await removePaths(input.transport, [`${root}/certificates/${item.id}`], { root, signal });
      return undefined;
    default:
      return assertNever(item.kind);
  }
}
