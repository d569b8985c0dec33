import { assertNever } from "../base/assert-never.ts";
import { hasCode } from "../base/errors.ts";
import { inventoryWithout } from "../core/inventory.ts";
import type { Inventory, InventoryItem } from "../core/observed.ts";
import type { StepResult } from "../core/plan.ts";
import { removePaths } from "../transport/files.ts";
import type { StepInput } from "./carry-out.ts";
import { isOwn } from "./own.ts";
import { readInventory, writeInventory } from "./project-files.ts";

/**
 * Deletes one thing our inventory lists, then takes it off the list. What is still in use stays,
 * on the host and on the list, and is tried again by a later pass. What somebody else put under
 * a listed name only leaves the list.
 */
export async function removeItem(item: InventoryItem, input: StepInput): Promise<StepResult> {
  try {
    await deleteItem(item, input);
  } catch (thrown) {
    if (!hasCode(thrown, "docker-conflict") && !hasCode(thrown, "docker-refused")) throw thrown;
    return { kind: "kept", reason: thrown.message };
  }
  const inventory: Inventory = await readInventory(input);
  await writeInventory(input, inventoryWithout(inventory, item));
  return { kind: "done" };
}

async function deleteItem(item: InventoryItem, input: StepInput): Promise<void> {
  const { docker, signal, observed, spec } = input;
  const { projectDir: root } = observed.facts;
  const options = { signal };
  switch (item.kind) {
    case "container": {
      const found = await docker.inspectContainer(item.id, options);
      if (!isOwn(found, spec.project)) return;
      return docker.removeContainer(item.id, { force: true, ...options });
    }
    case "network": {
      const found = await docker.inspectNetwork(item.id, options);
      return isOwn(found, spec.project) ? docker.removeNetwork(item.id, options) : undefined;
    }
    case "image": {
      const found = await docker.inspectImage(item.id, options);
      return isOwn(found, spec.project) ? docker.removeImage(item.id, options) : undefined;
    }
    case "release":
      return removePaths(input.transport, [`${root}/releases/${item.id}`], { root, signal });
    case "credentials":
      return removePaths(input.transport, [`${root}/credentials/${item.id}`], { root, signal });
    default:
      return assertNever(item.kind);
  }
}
