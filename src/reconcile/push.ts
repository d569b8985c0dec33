import { AlError } from "../base/errors.ts";
import { type CredentialChange, credentialChanges } from "../core/credential-changes.ts";
import type { HostSpec } from "../core/desired.ts";
import type { Current, ObservedHost } from "../core/observed.ts";
import type { HostResult } from "../core/pass.ts";
import { type PushPlan, planPush } from "../core/plan-push.ts";
import { needsOfRelease } from "../core/release-needs.ts";
import { applyPlan } from "./apply.ts";
import { contactHost, missingGrants } from "./approvals-needed.ts";
import { stoppedHost } from "./confirm.ts";
import { credentialsOf, type HostCredentials } from "./host-credentials.ts";
import { lookTwice } from "./look-twice.ts";
import {
  failure,
  lockWords,
  type PassDeps,
  type PassInput,
  type PassOptions,
  stoppedResult,
  withSession,
} from "./pass.ts";
import type { HostSession } from "./ports.ts";

/** One host whose live release is to get its newest credentials; `spec` is what is asked of it now. */
export type PushInput = Omit<PassInput, "recipes">;

/** What a push came to, and what became or would become of each credential. */
export interface PushResult {
  readonly result: HostResult;
  /** Empty where the host was not seen, or is left alone. */
  readonly changes: readonly CredentialChange[];
}

/**
 * A pass over one host limited to credentials: the release, runtime and revision that are live stay.
 * Never throws for what can happen to a host.
 */
export async function runPush(
  input: PushInput,
  deps: PassDeps,
  options: PassOptions = {},
): Promise<PushResult> {
  const { host, address } = input.address;
  if (address === "") return { result: { kind: "not-provisioned", host }, changes: [] };
  try {
    const contact = await contactHost(deps.hosts, deps.approvals, input.address, options.signal);
    if (contact.kind === "approval-needed") return { result: { ...contact, host }, changes: [] };
    return await withSession(contact.session, (session) => pushOver(session, input, deps, options));
  } catch (thrown) {
    return { result: failure(host, thrown), changes: [] };
  }
}

function pushOver(
  session: HostSession,
  input: PushInput,
  deps: PassDeps,
  options: PassOptions,
): Promise<PushResult> {
  const { host } = input.address;
  const settled = ({ spec, observed, plan, changes }: Look): PushResult | undefined => {
    const stopped = stoppedHost(observed);
    if (stopped) return { result: stoppedResult(host, stopped), changes: [] };
    const approvals = missingGrants(spec, input.remote, deps.approvals);
    if (approvals.length > 0) {
      return { result: { kind: "approval-needed", host, approvals }, changes };
    }
    if (plan.actions.length > 0) return undefined;
    return { result: { kind: "in-sync", host, observed, notes: [] }, changes };
  };
  return lookTwice<Look, PushResult>(session, lockWords(input.spec.project, deps, options), {
    look: (signal) => look(session, input, deps, { ...options, signal }),
    first(found) {
      const { plan, changes } = found;
      const planned = { result: { kind: "planned" as const, host, plan }, changes };
      return settled(found) ?? (input.mode === "plan" ? planned : undefined);
    },
    second: settled,
    onWaiting: () => options.onEvent?.({ kind: "waiting-for-lock", host }),
    change: (found, signal) => change(session, found, { input, deps, options, signal }),
  });
}

async function change(
  session: HostSession,
  { spec, observed, plan, changes, credentialFiles, proposedKey }: Look,
  of: {
    readonly input: PushInput;
    readonly deps: PassDeps;
    readonly options: PassOptions;
    readonly signal: AbortSignal;
  },
): Promise<PushResult> {
  const { input, deps, signal } = of;
  const { host } = input.address;
  const applied = await applyPlan({
    session,
    spec,
    credentialFiles,
    plan,
    current: plan.current,
    confirmTimeoutMs: input.confirmTimeoutMs,
    onEvent: of.options.onEvent ?? (() => {}),
    now: () => deps.clock.now(),
    sleep: (ms, signal) => deps.clock.sleep(ms, signal),
    context: { spec, recipes: [], observed, proposedKey, signal },
  });
  if (applied.kind === "done") return { result: { kind: "applied", host, plan }, changes };
  if (applied.kind === "stopped") return { result: stoppedResult(host, applied), changes: [] };
  const { error, aftermath } = applied;
  return { result: { kind: "failed", host, error, aftermath }, changes };
}

interface Look extends HostCredentials {
  /** Of what is live. */
  readonly spec: HostSpec;
  readonly observed: ObservedHost;
  readonly plan: PushPlan;
  readonly changes: readonly CredentialChange[];
}

async function look(
  session: HostSession,
  input: PushInput,
  deps: PassDeps,
  { onEvent, signal }: PassOptions,
): Promise<Look> {
  const { host, project } = input.spec;
  onEvent?.({ kind: "observing", host });
  const observed = await session.observe(project, { signal });
  const { current } = observed;
  if (!current) throw notDeployed(host);
  const live = withCurrent(observed, current);
  const spec = await liveSpec(session, input.spec, live, signal);
  const credentials = await credentialsOf(spec, observed, deps);
  const { credentialFiles } = credentials;
  const plan = planPush(spec, live, credentialFiles);
  const changes = credentialChanges(spec.credentials, observed, credentialFiles);
  return { spec, observed, plan, changes, ...credentials };
}

/** What is live needs what its own files say, whatever the project asks for by now. */
async function liveSpec(
  session: HostSession,
  spec: HostSpec,
  { facts, current }: Live,
  signal: AbortSignal | undefined,
): Promise<HostSpec> {
  const { release: hash, revision } = current;
  if (hash === spec.release.hash) return { ...spec, revision };
  const files = await session.readTree(`${facts.projectDir}/releases/${hash}`, { signal });
  const credentials = needsOfRelease({ host: spec.host, hash, files });
  return { ...spec, revision, release: { hash, files: [] }, credentials };
}

type Live = ObservedHost & { readonly current: Current };

function withCurrent(observed: ObservedHost, current: Current): Live {
  return { ...observed, current };
}

function notDeployed(host: string): AlError {
  return new AlError(
    `host ${host}: nothing is live there yet, so nothing there needs credentials`,
    {
      code: "not-deployed",
      blame: "user",
      hint: "The first apply delivers them: al apply",
    },
  );
}
