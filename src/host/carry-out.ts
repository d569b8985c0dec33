import { assertNever } from "../base/assert-never.ts";
import { hasCode } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import type { HostSpec, ImageRecipe } from "../core/desired.ts";
import type { NetworkSpec, ObservedHost } from "../core/observed.ts";
import type { Step, StepResult } from "../core/plan.ts";
import { removePaths } from "../transport/files.ts";
import { deliver, type ImageSource } from "./deliver.ts";
import { labelsOf, makeStanding } from "./make-standing.ts";
import type { Instruments } from "./observe.ts";
import { createOwn, isOwn } from "./own.ts";
import { prepareProject, writeCredentials, writeInventory, writeRelease } from "./project-files.ts";
import { removeItem } from "./remove-item.ts";
import { removeProject } from "./remove-project.ts";
import { clearRuns } from "./sweep-runs.ts";
import { stopStanding, switchTo, withdraw } from "./switch.ts";

/** Where contents come from; steps carry only their identities. */
export interface Materials {
  readonly images: ImageSource;
  /** Value of a credential field by `type/instance/field`. */
  readonly credential: (path: string) => Promise<Secret | undefined>;
}

/** Everything a step is carried out with. */
export interface StepInput extends Instruments {
  readonly materials: Materials;
  readonly spec: HostSpec;
  readonly recipes: readonly ImageRecipe[];
  readonly observed: ObservedHost;
  readonly proposedKey: Secret;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

const DONE: StepResult = { kind: "done" };

/** Carries out one step on a host whose lock is held. Every step may be repeated. */
export async function carryOut(step: Step, input: StepInput): Promise<StepResult> {
  switch (step.kind) {
    case "prepare-project":
      await prepareProject(input);
      return DONE;
    case "record-inventory":
      await writeInventory(input, step.inventory);
      return DONE;
    case "sweep": {
      const { projectDir: root } = input.observed.facts;
      await removePaths(input.transport, step.paths, { root, signal: input.signal });
      return DONE;
    }
    case "deliver-image":
      await deliver(step.image, input);
      return DONE;
    case "write-release":
      await writeRelease(input, step.hash);
      return DONE;
    case "write-credentials":
      await writeCredentials(input, step);
      return DONE;
    case "create-network":
      await createNetwork(input, step.network);
      return DONE;
    case "create-runtime":
    case "create-door":
    case "create-ingress":
    case "replace-runtime":
    case "replace-door":
    case "replace-ingress":
      await makeStanding(step, input);
      return DONE;
    case "replace-network":
      await replaceNetwork(input, step.network);
      return DONE;
    case "restore-rules":
      await restoreRules(input, step.runtime);
      return DONE;
    case "switch":
      await switchTo(step.current, input);
      return DONE;
    case "withdraw":
      await withdraw(input);
      return DONE;
    case "remove":
      return removeItem(step, input);
    case "sweep-runs":
      await clearRuns(input);
      return DONE;
    case "remove-project":
      return removeProject(input);
    default:
      return assertNever(step);
  }
}

/** What stands is stopped first: it holds the network, and the switch that follows starts what is wanted. */
async function replaceNetwork(input: StepInput, network: NetworkSpec): Promise<void> {
  const { docker, spec, signal } = input;
  await stopStanding(input);
  const found = await docker.inspectNetwork(network.name, { signal });
  if (isOwn(found, spec.project)) await docker.removeNetwork(network.name, { signal });
  await createNetwork(input, network);
}

async function restoreRules({ control, signal }: StepInput, runtime: string): Promise<void> {
  const timeoutMs = 90_000;
  await control.call({ runtime, method: "POST", path: "/control/rules", signal, timeoutMs });
}

async function createNetwork(input: StepInput, network: NetworkSpec): Promise<void> {
  const { name, bridge, subnet, gateway } = network;
  const { docker, signal } = input;
  const labels = labelsOf(input);
  const wanted = { name, bridge, subnet, gateway, labels, betweenContainers: false };
  await createOwn(`network ${name}`, input, {
    create: () => docker.createNetwork(wanted, { signal }),
    inspect: () => docker.inspectNetwork(name, { signal }),
    // The first attempt, cut off, has the subnet before it has the name (seen on Docker 20.10).
    isBusy: (thrown) => hasCode(thrown, "docker-refused") && /overlaps/.test(thrown.message),
  });
}
