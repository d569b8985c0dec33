import { AlError } from "../../src/base/errors.ts";
import type { Secret } from "../../src/base/secret.ts";
import {
  type ContainerFacts,
  doorFacts,
  ingressFacts,
  runtimeFacts,
  type StandingSpec,
} from "../../src/core/container-facts.ts";
import { doorContainerSpec } from "../../src/core/door-container.ts";
import { ingressContainerSpec } from "../../src/core/ingress-container.ts";
import { LABELS } from "../../src/core/names.ts";
import type { DoorContainer, IngressContainer, RuntimeContainer } from "../../src/core/plan.ts";
import { runtimeContainerSpec } from "../../src/core/runtime-container.ts";
import type { StepContext } from "../../src/reconcile/ports.ts";
import type { Engine } from "./engine.ts";
import type { Files } from "./files.ts";

/** Reads a credential's value by `type/instance/field`, as the operator's store does. */
export type ReadCredential = (path: string) => Secret | undefined;

/** What a step is carried out with. */
export interface Tools {
  readonly host: string;
  readonly engine: Engine;
  readonly files: Files;
  readonly read: ReadCredential;
  readonly context: StepContext;
}

/** The runtime's container, as `src/host` makes it. */
export async function createRuntime(
  container: RuntimeContainer,
  labels: Readonly<Record<string, string>>,
  tools: Tools,
): Promise<void> {
  const facts = (imageSpecHash: string) => runtimeFacts(container, imageSpecHash);
  await createStanding(runtimeContainerSpec(container, labels), facts, tools);
}

/** The door's, with the directory it sees. */
export async function createDoor(
  container: DoorContainer,
  labels: Readonly<Record<string, string>>,
  tools: Tools,
): Promise<void> {
  await tools.files.prepareDoor();
  const facts = (imageSpecHash: string) => doorFacts(container, imageSpecHash);
  await createStanding(doorContainerSpec(container, labels), facts, tools);
}

/** The ingress's, with the directories it sees. */
export async function createIngress(
  container: IngressContainer,
  labels: Readonly<Record<string, string>>,
  tools: Tools,
): Promise<void> {
  await tools.files.prepareIngress(container.site.name);
  const facts = (imageSpecHash: string) => ingressFacts(container, imageSpecHash);
  await createStanding(ingressContainerSpec(container, labels), facts, tools);
}

async function createStanding(
  spec: StandingSpec,
  factsOf: (imageSpecHash: string) => ContainerFacts,
  tools: Tools,
): Promise<void> {
  const { engine } = tools;
  const { name, image, network, labels } = spec;
  const imageLabels = await engine.imageLabels(image);
  const facts = factsOf(imageLabels?.[LABELS.specHash] ?? "");
  await engine.createContainer(name, { image, network, labels, facts, state: "created" });
  checkOwn("container", name, await engine.containerLabels(name), tools);
}

/** A name of ours that somebody else took is theirs. */
export function checkOwn(
  what: string,
  name: string,
  labels: Readonly<Record<string, string>> | undefined,
  { host, context }: Tools,
): void {
  if (labels?.[LABELS.project] === context.spec.project) return;
  const options = { code: "name-taken", blame: "user" } as const;
  throw new AlError(`host ${host}: ${what} ${name} exists and is not ours`, options);
}
