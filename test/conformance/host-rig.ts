import { Secret } from "../../src/base/secret.ts";
import type { HostSpec } from "../../src/core/desired.ts";
import { credentialVersion, type FileHash, sha256 } from "../../src/core/fingerprint.ts";
import type { Inventory, ObservedHost } from "../../src/core/observed.ts";
import type { Step, StepResult } from "../../src/core/plan.ts";
import { planHost } from "../../src/core/plan-host.ts";
import { resolveTarget, type Target } from "../../src/core/target.ts";
import type { HostSession, StepContext } from "../../src/reconcile/ports.ts";
import type { AgentWords, SpecWords } from "../memory-host/specs.ts";
import type { HostBench, Seen } from "./host-bench.ts";

/** The credential that the suite's agent has. */
export const TOKEN = "github_token/default/token";

/** A host under test with an open session: steps and looks in few words. */
export class HostRig {
  readonly bench: HostBench;
  readonly session: HostSession;
  readonly proposedKey: Secret;

  constructor(bench: HostBench, session: HostSession) {
    this.bench = bench;
    this.session = session;
    this.proposedKey = new Secret(sha256(`key of ${bench.host}`));
    bench.values.set(TOKEN, new Secret("tell-nobody\n"));
  }

  /** One agent, with an image of its own on top of the base, at any version of either; with a door if a port is given, and an ingress for a public name. */
  spec(
    revision = "one",
    agent: Partial<AgentWords> = {},
    runtime = "1",
    reached: Pick<SpecWords, "port" | "door" | "public"> = {},
  ): HostSpec {
    const dev = { actions: `Do ${revision}.`, image: "1", credentials: [TOKEN], ...agent };
    return this.bench.spec({ revision, runtime, ...reached, agents: { dev } });
  }

  observe(): Promise<ObservedHost> {
    return this.session.observe(this.bench.project);
  }

  look(): Promise<Seen> {
    return this.bench.look();
  }

  /** What a spec means on this host now. */
  async target(spec: HostSpec): Promise<Target> {
    const observed = await this.observe();
    return resolveTarget(spec, observed, this.versions(observed));
  }

  /** The credential's version under the host's key, or the one proposed. */
  versions(observed: ObservedHost): FileHash[] {
    const key = observed.credentialKey ?? this.proposedKey.reveal();
    const value = this.bench.values.get(TOKEN) ?? new Secret("");
    return [{ path: TOKEN, hash: credentialVersion(key, value.revealBytes()) }];
  }

  context(spec: HostSpec, observed: ObservedHost, signal?: AbortSignal): StepContext {
    const recipes = this.bench.recipes(spec);
    return { spec, recipes, observed, proposedKey: this.proposedKey, signal };
  }

  /** Carries out one step, seen from a fresh observation. */
  async do(step: Step, spec: HostSpec = this.spec()): Promise<StepResult> {
    return this.session.carryOut(step, this.context(spec, await this.observe()));
  }

  /** Carries a step out twice: the second time must end like the first. */
  async doTwice(step: Step, spec: HostSpec = this.spec()): Promise<void> {
    await this.do(step, spec);
    await this.do(step, spec);
  }

  /** The inventory as the host has it now. */
  async inventory(): Promise<Inventory> {
    return (await this.observe()).inventory;
  }

  /** Carries out what a plan has to prepare, up to, but without, the switch. */
  async prepare(spec: HostSpec): Promise<Target> {
    const observed = await this.observe();
    const context = this.context(spec, observed);
    const { actions } = planHost(spec, observed, this.versions(observed));
    for (const { step } of actions.filter(({ phase }) => phase === "prepare")) {
      await this.session.carryOut(step, context);
    }
    return resolveTarget(spec, observed, this.versions(observed));
  }

  /** Deploys a spec and makes it live. */
  async deploy(spec: HostSpec): Promise<Target> {
    const target = await this.prepare(spec);
    await this.do({ kind: "switch", current: target.current, previous: undefined }, spec);
    return target;
  }
}

/** The step that puts a spec's release in place. */
export function releaseStep({ release }: HostSpec): Extract<Step, { kind: "write-release" }> {
  const files = release.files.map(({ path, hash }) => ({ path, hash }));
  return { kind: "write-release", hash: release.hash, files };
}

/** The door of a target that has one. */
export function doorOf({ door }: Target): NonNullable<Target["door"]> {
  if (!door) throw new TypeError("this spec has no door");
  return door;
}

/** The ingress of a target that has one. */
export function ingressOf({ ingress }: Target): NonNullable<Target["ingress"]> {
  if (!ingress) throw new TypeError("this spec has no ingress");
  return ingress;
}
