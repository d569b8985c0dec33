import type { Clock } from "../base/clock.ts";
import { AlError, toAlError } from "../base/errors.ts";
import type { HostAddress, HostSpec, ImageRecipe } from "../core/desired.ts";
import type { DriftPolicy } from "../core/drift.ts";
import { inventoryUnion } from "../core/inventory.ts";
import type { ObservedHost } from "../core/observed.ts";
import type { HostResult, PassEvent } from "../core/pass.ts";
import { agentsOf, liveAgents } from "../core/placed-agents.ts";
import type { HostPlan } from "../core/plan.ts";
import { leftAlone, planHost } from "../core/plan-host.ts";
import { applyPlan } from "./apply.ts";
import { contactHost, missingGrants } from "./approvals-needed.ts";
import { type StoppedHost, stoppedHost } from "./confirm.ts";
import { credentialsOf, type HostCredentials } from "./host-credentials.ts";
import { lookTwice } from "./look-twice.ts";
import type {
  ApprovalsPort,
  CredentialsPort,
  FleetMemoryPort,
  HostSession,
  HostsPort,
} from "./ports.ts";

/** What passes are made with. */
export interface PassDeps {
  readonly hosts: HostsPort;
  readonly approvals: ApprovalsPort;
  readonly credentials: CredentialsPort;
  readonly clock: Clock;
  /** Absent where nothing outlasts a pass. */
  readonly memory?: FleetMemoryPort;
  /** Who holds the host lock meanwhile, for others to read: `al apply, pid 7 on laptop`. */
  readonly holder: string;
}

/** One host of one revision. */
export interface PassInput {
  readonly address: HostAddress;
  readonly spec: HostSpec;
  readonly recipes: readonly ImageRecipe[];
  /** The repository this revision comes from; grants are bound to it. */
  readonly remote: string;
  /** `plan` looks and touches nothing. */
  readonly mode: "plan" | "apply";
  /** How long the host may take from its switch to its confirmation. */
  readonly confirmTimeoutMs: number;
  /** What is done about changes on the host itself. Default `heal`. */
  readonly drift?: DriftPolicy | undefined;
  /** Called with the first look, before anything is changed; `hold` ends the pass as a plan would. */
  readonly gate?: ((observed: ObservedHost) => "go" | "hold") | undefined;
}

/** How a pass is watched and ended. */
export interface PassOptions {
  readonly onEvent?: (event: PassEvent) => void;
  readonly signal?: AbortSignal | undefined;
  /** Has runtimes look at the network's rules for this very pass. */
  readonly certain?: boolean | undefined;
}

/**
 * Observe, plan, apply and confirm one host, once. Never throws for what can happen to a host:
 * every end is a {@link HostResult}.
 */
export async function runPass(
  input: PassInput,
  deps: PassDeps,
  options: PassOptions = {},
): Promise<HostResult> {
  const { host } = input.address;
  if (input.address.address === "") return { kind: "not-provisioned", host };
  try {
    const grants = missingGrants(input.spec, input.remote, deps.approvals);
    const contact = await contactHost(deps.hosts, deps.approvals, input.address, options.signal);
    if (contact.kind === "approval-needed" || grants.length > 0) {
      const keys = contact.kind === "approval-needed" ? contact.approvals : [];
      if (contact.kind === "connected") await contact.session.close();
      return { kind: "approval-needed", host, approvals: [...keys, ...grants] };
    }
    return await withSession(contact.session, (session) => passOver(session, input, deps, options));
  } catch (thrown) {
    return failure(host, thrown);
  }
}

function passOver(
  session: HostSession,
  input: PassInput,
  deps: PassDeps,
  options: PassOptions,
): Promise<HostResult> {
  const { host } = input.address;
  const { project } = input.spec;
  const settled = ({ observed, plan }: Look) =>
    plan.actions.length === 0 ? unchanged(input, deps, observed, plan) : undefined;
  return lookTwice<Look, HostResult>(session, lockWords(project, deps, options), {
    look: (signal) => look(session, input, deps, { ...options, signal }),
    first(found) {
      const { plan } = found;
      const held = input.gate?.(found.observed) === "hold";
      const done = settled(found);
      if (done) return done;
      if (input.drift === "report" && plan.driftOnly) return { kind: "drifted", host, plan };
      return input.mode === "plan" || held ? { kind: "planned", host, plan } : undefined;
    },
    second: settled,
    onWaiting: () => options.onEvent?.({ kind: "waiting-for-lock", host }),
    change: (found, signal) => change(session, found, { input, deps, options, signal }),
  });
}

/** How a pass takes a host's lock. */
export function lockWords(project: string, { holder }: PassDeps, { signal }: PassOptions) {
  return { project, holder, signal };
}

async function change(
  session: HostSession,
  { observed, plan, credentialFiles, proposedKey }: Look,
  of: {
    readonly input: PassInput;
    readonly deps: PassDeps;
    readonly options: PassOptions;
    readonly signal: AbortSignal;
  },
): Promise<HostResult> {
  const { input, deps, signal } = of;
  const { host } = input.address;
  deps.memory?.remember(knownBefore(input, observed, plan));
  const onEvent = of.options.onEvent ?? (() => {});
  const result = await applyPlan({
    session,
    spec: input.spec,
    credentialFiles,
    plan,
    confirmTimeoutMs: input.confirmTimeoutMs,
    onEvent,
    now: () => deps.clock.now(),
    sleep: (ms, signal) => deps.clock.sleep(ms, signal),
    context: {
      spec: input.spec,
      recipes: input.recipes,
      observed,
      proposedKey,
      signal,
      onProgress: (text) => onEvent({ kind: "action-progress", host, text }),
    },
  });
  if (result.kind === "done") return { kind: "applied", host, plan };
  if (result.kind === "stopped") return stoppedResult(host, result);
  return { kind: "failed", host, error: result.error, aftermath: result.aftermath };
}

function unchanged(
  { address, mode }: PassInput,
  { memory }: PassDeps,
  observed: ObservedHost,
  { notes }: HostPlan,
): HostResult {
  const { inventory } = observed;
  if (mode === "apply") memory?.remember({ address, inventory, agents: liveAgents(observed) });
  const { host } = address;
  const stopped = stoppedHost(observed);
  return stopped ? stoppedResult(host, stopped) : { kind: "in-sync", host, observed, notes };
}

/** What a pass over a host came to that an operator stopped. */
export function stoppedResult(host: string, { stopped, observed }: StoppedHost): HostResult {
  return { kind: "stopped", host, stopped, observed };
}

/** What the host will hold at most while the plan is carried out. */
function knownBefore({ address, spec }: PassInput, observed: ObservedHost, plan: HostPlan) {
  const inventory = plan.actions.reduce(
    (known, { step }) =>
      step.kind === "record-inventory" ? inventoryUnion(known, step.inventory) : known,
    observed.inventory,
  );
  return { address, inventory, agents: agentsOf(spec) };
}

interface Look extends HostCredentials {
  readonly observed: ObservedHost;
  readonly plan: HostPlan;
}

async function look(
  session: HostSession,
  input: PassInput,
  deps: PassDeps,
  options: PassOptions,
): Promise<Look> {
  const { spec } = input;
  options.onEvent?.({ kind: "observing", host: spec.host });
  const { signal, certain } = options;
  const observed = await session.observe(spec.project, { signal, certain });
  if (observed.stopped) {
    const proposedKey = deps.approvals.proposedKey(spec.host);
    return { observed, plan: leftAlone(spec), credentialFiles: [], proposedKey };
  }
  if (observed.facts.architecture !== spec.architecture) throw wrongArchitecture(spec, observed);
  const credentials = await credentialsOf(spec, observed, deps);
  return { observed, plan: planHost(spec, observed, credentials.credentialFiles), ...credentials };
}

/** Gives the session to `work` and closes it, however that ends. */
export async function withSession<T>(
  session: HostSession,
  work: (session: HostSession) => Promise<T>,
): Promise<T> {
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** What a pass that threw came to, when it had changed nothing live. */
export function failure(host: string, thrown: unknown): HostResult {
  const error = toAlError(thrown);
  if (error.code === "unreachable") return { kind: "unreachable", host, error };
  return { kind: "failed", host, error, aftermath: "untouched" };
}

function wrongArchitecture(spec: HostSpec, observed: ObservedHost): AlError {
  const { architecture } = observed.facts;
  return new AlError(
    `host ${spec.host} is ${architecture}, but fleet.toml says ${spec.architecture}`,
    {
      code: "wrong-architecture",
      blame: "user",
      hint: `Set architecture = "${architecture}" at [hosts.${spec.host}] in fleet.toml.`,
    },
  );
}
