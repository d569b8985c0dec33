import { assertNever } from "../../src/base/assert-never.ts";
import { canonicalJson, type Json } from "../../src/base/canonical-json.ts";
import { AlError, hasCode } from "../../src/base/errors.ts";
import { inventoryWithout, isListed } from "../../src/core/inventory.ts";
import { LABELS } from "../../src/core/names.ts";
import type { Current, Inventory, InventoryItem } from "../../src/core/observed.ts";
import type { Step, StepResult } from "../../src/core/plan.ts";
import { planRulesRemoval } from "../../src/core/removals.ts";
import type { CredentialFile } from "../../src/core/resolve-credentials.ts";
import { parseInventory } from "../../src/host/parse-observation.ts";
import type { StepContext } from "../../src/reconcile/ports.ts";
import { engineOf } from "./engine.ts";
import { type CredentialContent, type Files, filesOf } from "./files.ts";
import type { Link } from "./link.ts";
import {
  checkOwn,
  createDoor,
  createIngress,
  createRuntime,
  type ReadCredential,
  type Tools,
} from "./standing.ts";

const DONE: StepResult = { kind: "done" };

/** Carries out one step as `src/host` does: the same effects in the same order. */
export async function carryOutInMemory(
  link: Link,
  step: Step,
  context: StepContext,
  read: ReadCredential,
): Promise<StepResult> {
  context.signal?.throwIfAborted();
  const files = filesOf(link, context.spec.project);
  const tools = { host: link.machine.host, engine: engineOf(link), files, read, context };
  return (await perform(step, tools)) ?? DONE;
}

async function perform(step: Step, tools: Tools): Promise<StepResult | undefined> {
  const { engine, files, context } = tools;
  const labels = { [LABELS.project]: context.spec.project, [LABELS.host]: context.spec.host };
  switch (step.kind) {
    case "prepare-project":
      return void (await prepareProject(tools));
    case "record-inventory":
      return void (await writeInventory(files, step.inventory));
    case "deliver-image":
      return void (await deliver(step.image.reference, tools));
    case "write-release":
      return void (await writeRelease(step.hash, tools));
    case "write-credentials":
      return void (await writeCredentials(step, tools));
    case "create-network":
      return void (await createNetwork(step.network, labels, tools));
    case "create-runtime":
      return void (await createRuntime(step.container, labels, tools));
    case "replace-runtime":
      await removeOwnContainer(step.container.name, tools);
      return void (await createRuntime(step.container, labels, tools));
    case "create-door":
      return void (await createDoor(step.container, labels, tools));
    case "replace-door":
      await removeOwnContainer(step.container.name, tools);
      return void (await createDoor(step.container, labels, tools));
    case "create-ingress":
      return void (await createIngress(step.container, labels, tools));
    case "replace-ingress":
      await removeOwnContainer(step.container.name, tools);
      return void (await createIngress(step.container, labels, tools));
    case "replace-network":
      await stopStanding(tools);
      await removeOwnNetwork(step.network.name, tools);
      return void (await createNetwork(step.network, labels, tools));
    case "restore-rules":
      return void (await engine.restoreRules());
    case "switch":
      return void (await switchTo(step.current, tools));
    case "withdraw":
      await files.removePaths([`${context.observed.facts.projectDir}/current.json`]);
      return void (await stopStanding(tools));
    case "remove":
      return removeItem(step, tools);
    case "sweep-runs":
      return void (await engine.clearRuns(context.spec.project));
    case "remove-project":
      return removeProject(tools);
    case "sweep":
      return void (await files.removePaths(step.paths));
    default:
      return assertNever(step);
  }
}

async function prepareProject({ files, context }: Tools): Promise<void> {
  await files.prepare();
  if (context.observed.credentialKey !== undefined) return;
  await files.writeFile("key", context.proposedKey.reveal());
}

async function deliver(reference: string, { engine, context }: Tools): Promise<void> {
  const recipe = context.recipes.find(({ image }) => image.reference === reference);
  if (!recipe) throw new AlError(`no recipe for ${reference}`, { code: "no-recipe", blame: "bug" });
  context.onProgress?.(`sending ${reference}`);
  const labels = { [LABELS.project]: context.spec.project };
  await engine.loadImage(reference, { ...labels, [LABELS.specHash]: recipe.image.specHash });
}

async function writeRelease(hash: string, { files, context }: Tools): Promise<void> {
  const { release } = context.spec;
  const contents = release.files.map(
    ({ path, content }) => [path, Buffer.from(content).toString("utf8")] as const,
  );
  await files.writeRelease(hash, new Map(contents));
}

async function writeCredentials(
  set: { readonly hash: string; readonly files: readonly CredentialFile[] },
  { files, read }: Tools,
): Promise<void> {
  const values = set.files.map(({ path, carriedFrom }): [string, CredentialContent] => {
    if (carriedFrom !== undefined) return [path, { carriedFrom }];
    const value = read(path);
    if (value) return [path, value];
    const options = { code: "credential-missing", blame: "user" } as const;
    throw new AlError(`credential ${path} disappeared from the store`, options);
  });
  await files.writeCredentials(set.hash, new Map(values));
}

async function stopStanding(
  { engine, context }: Tools,
  except: readonly (string | undefined)[] = [],
): Promise<readonly string[]> {
  const found = await engine.standing(context.spec.project);
  const others = found.filter(({ name }) => !except.includes(name));
  for (const { name } of others) await engine.stopContainer(name);
  return others.filter(({ state }) => state === "running").map(({ name }) => name);
}

async function removeOwnContainer(name: string, { engine, context }: Tools): Promise<void> {
  const labels = await engine.containerLabels(name);
  if (labels?.[LABELS.project] === context.spec.project) await engine.removeContainer(name);
}

async function removeOwnNetwork(name: string, { engine, context }: Tools): Promise<void> {
  const labels = await engine.networkLabels(name);
  if (labels?.[LABELS.project] === context.spec.project) await engine.removeNetwork(name);
}

async function createNetwork(
  network: Extract<Step, { kind: "create-network" }>["network"],
  labels: Readonly<Record<string, string>>,
  tools: Tools,
): Promise<void> {
  await tools.engine.createNetwork({ ...network, labels });
  const found = await tools.engine.networkLabels(network.name);
  checkOwn("network", network.name, found, tools);
}

async function switchTo(current: Current, tools: Tools): Promise<void> {
  const { engine, files } = tools;
  const stopped = await stopStanding(tools, [current.runtime, current.door, current.ingress]);
  try {
    await writeJson(files, "current", { ...current, network: { ...current.network } });
  } catch (thrown) {
    await Promise.allSettled(stopped.map((name) => engine.startContainer(name)));
    throw thrown;
  }
  await engine.startContainer(current.runtime);
  for (const entry of [current.door, current.ingress]) {
    if (entry !== undefined) await engine.startContainer(entry);
  }
}

async function removeProject({ host, files }: Tools): Promise<StepResult> {
  const { items } = parseInventory(host, "", await files.readFile("inventory"));
  if (items.length > 0) return { kind: "kept", reason: "its inventory still lists things" };
  await files.removeProject();
  return DONE;
}

async function removeItem(
  { item, after }: Extract<Step, { kind: "remove" }>,
  tools: Tools,
): Promise<StepResult> {
  const listed = parseInventory(tools.host, "", await tools.files.readFile("inventory"));
  if (after && isListed(listed, after)) {
    return { kind: "kept", reason: `${after.kind} ${after.id} is still there` };
  }
  try {
    const kept = await deleteItem(item, tools);
    if (kept !== undefined) return { kind: "kept", reason: kept };
  } catch (thrown) {
    if (!hasCode(thrown, "docker-conflict") && !hasCode(thrown, "docker-refused")) throw thrown;
    return { kind: "kept", reason: thrown.message };
  }
  const text = await tools.files.readFile("inventory");
  const inventory = inventoryWithout(parseInventory(tools.host, "", text), item);
  await writeInventory(tools.files, inventory);
  return DONE;
}

async function deleteItem(item: InventoryItem, tools: Tools): Promise<string | undefined> {
  const { engine, files, context } = tools;
  const { projectDir } = context.observed.facts;
  switch (item.kind) {
    case "container":
      return void (await removeOwnContainer(item.id, tools));
    case "network":
      return void (await removeOwnNetwork(item.id, tools));
    case "rules": {
      const removal = planRulesRemoval(context.spec.project, context.observed);
      if (removal.kind === "with") await engine.removeRules(context.spec.project, removal.image);
      return removal.kind === "kept" ? removal.reason : undefined;
    }
    case "image": {
      const labels = await engine.imageLabels(item.id);
      if (labels?.[LABELS.project] === context.spec.project) await engine.removeImage(item.id);
      return undefined;
    }
    case "release":
      return void (await files.removePaths([`${projectDir}/releases/${item.id}`]));
    case "credentials":
      return void (await files.removePaths([`${projectDir}/credentials/${item.id}`]));
    case "certificates":
      return void (await files.removePaths([`${projectDir}/certificates/${item.id}`]));
    default:
      return assertNever(item.kind);
  }
}

async function writeInventory(files: Files, inventory: Inventory): Promise<void> {
  const { items, confirmed } = inventory;
  const json = confirmed && { ...confirmed, network: { ...confirmed.network } };
  await writeJson(files, "inventory", { items: itemsOf(items), confirmed: json });
}

function itemsOf(items: readonly InventoryItem[]): Json[] {
  return items.map(({ kind, id }) => ({ kind, id }));
}

async function writeJson(files: Files, name: "current" | "inventory", value: Json): Promise<void> {
  await files.writeFile(name, `${canonicalJson(value)}\n`);
}
