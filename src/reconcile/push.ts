import { AlError } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import { type CredentialChange, credentialChanges } from "../core/credential-changes.ts";
import type { HostSpec } from "../core/desired.ts";
import type { Current, ObservedHost } from "../core/observed.ts";
import type { HostResult } from "../core/pass.ts";
import { type PushPlan, planPush } from "../core/plan-push.ts";
import { type CredentialFile, resolveCredentials } from "../core/resolve-credentials.ts";
import { applyPlan } from "./apply.ts";
import { contactHost, missingGrants } from "./approvals-needed.ts";
import { failure, type PassDeps, type PassInput, type PassOptions, withSession } from "./pass.ts";
import type { HostSession } from "./ports.ts";

/** One host whose live release is to get its newest credentials. */
export interface PushInput extends Omit<PassInput, "recipes"> {
  /**
   * What the revision that is live asked of the host; `spec` is what the project asks for now.
   * @throws AlError when the project does not know that revision or that host of it.
   */
  readonly specAt: (revision: string) => Promise<HostSpec>;
}

/** What a push came to, and what became or would become of each credential. */
export interface PushResult {
  readonly result: HostResult;
  /** Empty where the host was not seen. */
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
  const { host } = input.address;
  try {
    const contact = await contactHost(deps.hosts, deps.approvals, input.address, options.signal);
    if (contact.kind === "approval-needed") return { result: { ...contact, host }, changes: [] };
    return await withSession(contact.session, (session) => pushOver(session, input, deps, options));
  } catch (thrown) {
    return { result: failure(host, thrown), changes: [] };
  }
}

async function pushOver(
  session: HostSession,
  input: PushInput,
  deps: PassDeps,
  options: PassOptions,
): Promise<PushResult> {
  const { host } = input.address;
  const { project } = input.spec;
  const first = await look(session, input, deps, options);
  const { changes, observed, plan } = first;
  const approvals = missingGrants(first.spec, input.remote, deps.approvals);
  if (approvals.length > 0)
    return { result: { kind: "approval-needed", host, approvals }, changes };
  if (plan.actions.length === 0)
    return { result: { kind: "in-sync", host, observed, notes: [] }, changes };
  if (input.mode === "plan") return { result: { kind: "planned", host, plan }, changes };
  options.onEvent?.({ kind: "waiting-for-lock", host });
  const lock = await session.lock(project, { holder: deps.holder, signal: options.signal });
  try {
    const signal = options.signal ? AbortSignal.any([options.signal, lock.signal]) : lock.signal;
    return await pushUnderLock(session, input, deps, { ...options, signal });
  } finally {
    await lock.release();
  }
}

/** Looks again: another controller may have changed the host before the lock was ours. */
async function pushUnderLock(
  session: HostSession,
  input: PushInput,
  deps: PassDeps,
  options: PassOptions,
): Promise<PushResult> {
  const { host } = input.address;
  const { spec, observed, plan, changes, credentialFiles, proposedKey } = await look(
    session,
    input,
    deps,
    options,
  );
  const approvals = missingGrants(spec, input.remote, deps.approvals);
  if (approvals.length > 0)
    return { result: { kind: "approval-needed", host, approvals }, changes };
  if (plan.actions.length === 0)
    return { result: { kind: "in-sync", host, observed, notes: [] }, changes };
  const applied = await applyPlan({
    session,
    spec,
    credentialFiles,
    plan,
    current: plan.current,
    confirmTimeoutMs: input.confirmTimeoutMs,
    onEvent: options.onEvent ?? (() => {}),
    now: () => deps.clock.now(),
    sleep: (ms, signal) => deps.clock.sleep(ms, signal),
    context: { spec, recipes: [], observed, proposedKey, signal: options.signal },
  });
  if (applied.kind === "done") return { result: { kind: "applied", host, plan }, changes };
  const { error, aftermath } = applied;
  return { result: { kind: "failed", host, error, aftermath }, changes };
}

interface Look {
  /** Of the live revision. */
  readonly spec: HostSpec;
  readonly observed: ObservedHost;
  readonly plan: PushPlan;
  readonly changes: readonly CredentialChange[];
  readonly credentialFiles: readonly CredentialFile[];
  readonly proposedKey: Secret;
}

async function look(
  session: HostSession,
  input: PushInput,
  deps: PassDeps,
  options: PassOptions,
): Promise<Look> {
  const { host, project, revision } = input.spec;
  options.onEvent?.({ kind: "observing", host });
  const observed = await session.observe(project, { signal: options.signal });
  const { current, credentialKey } = observed;
  if (!current) throw notDeployed(host);
  const spec = current.revision === revision ? input.spec : await input.specAt(current.revision);
  const proposedKey =
    credentialKey === undefined ? deps.approvals.proposedKey(host) : new Secret(credentialKey);
  const held = await deps.credentials.holdings(spec.credentials, proposedKey.reveal());
  const credentialFiles = resolveCredentials(spec, observed, held);
  const plan = planPush(spec, withCurrent(observed, current), credentialFiles);
  const changes = credentialChanges(spec.credentials, observed, credentialFiles);
  return { spec, observed, plan, changes, credentialFiles, proposedKey };
}

function withCurrent(observed: ObservedHost, current: Current) {
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
