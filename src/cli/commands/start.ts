import { systemClock } from "../../base/clock.ts";
import { AlError } from "../../base/errors.ts";
import type { Current, ObservedHost } from "../../core/observed.ts";
import type { CliContext } from "../context.ts";
import { type StartEnd, startLines } from "../render/start.ts";
import { askStatus, resume } from "../steering.ts";
import {
  type Asked,
  answered,
  askHosts,
  type RuntimeSelection,
  reportFailures,
} from "./each-runtime.ts";
import { notDeployed, type ObservedPlace } from "./live-runtime.ts";

const FIRST_LOOK_MS = 250;
const LONGEST_MS = 1000;

/** `al start`: starts the runtime of hosts that were stopped, and waits until it is ready. */
export async function start(context: CliContext, options: RuntimeSelection): Promise<number> {
  const { output } = context;
  const { dev } = options;
  const answers = await askHosts(context, options, (place, asked) =>
    startHost(context, place, { ...asked, dev }),
  );
  for (const { host, answer } of answered(answers)) {
    output.record({ kind: "started", host, ...answer });
    for (const line of startLines(host, answer)) output.line(line);
  }
  return reportFailures(context, answers);
}

type Starting = Asked & { readonly dev: boolean };

async function startHost(
  context: CliContext,
  place: ObservedPlace,
  of: Starting,
): Promise<StartEnd> {
  const { signal } = context;
  const { connection, observed } = place;
  const { stopped } = observed;
  await letGo(context, place, of);
  const runtime = await untilReady(context, place, of);
  const live = { connection, runtime };
  const resumed = stopped?.drained === true && (await resume(live, {}, signal));
  const { report, paused, agents } = await askStatus(live, signal);
  return {
    ...{ revision: report.revision, wanted: of.revision, activeRuns: report.activeRuns, resumed },
    queued: agents.reduce((sum, { queued }) => sum + queued, 0),
    ...(paused && { paused }),
  };
}

/** Takes the marker away and starts what `current.json` names, under the host lock. */
async function letGo(
  { holder, signal }: CliContext,
  { connection, observed }: ObservedPlace,
  { project, dev }: Starting,
): Promise<void> {
  const { host, current, stopped, facts } = observed;
  if (!current && !stopped) throw notDeployed(host);
  const lock = await connection.lock(project, { holder, signal });
  try {
    if (stopped) await connection.removeStopped(facts.projectDir);
    if (!current) throw notDeployed(host);
    if (!hasContainer(observed, current)) throw runtimeGone(host, dev);
    await connection.docker.startContainer(current.runtime, { signal: lock.signal });
    for (const entry of [current.door, current.ingress]) {
      const found = observed.containers.find(({ name }) => name === entry);
      if (found) await connection.docker.startContainer(found.name, { signal: lock.signal });
    }
  } finally {
    await lock.release();
  }
}

/**
 * Waits for the runtime that is live by then, and names it.
 * @throws AlError `not-ready` (transient) when the time is up, `host-stopped` when somebody stops it again.
 */
async function untilReady(
  { output, signal }: CliContext,
  { connection, observed: { host } }: ObservedPlace,
  { project, confirmTimeoutMs, dev }: Starting,
): Promise<string> {
  const deadline = systemClock.now() + confirmTimeoutMs;
  let told = "";
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_MS)) {
    const observed = await connection.observe(project, { signal });
    const { current, runtime } = observed;
    if (!current || !hasContainer(observed, current)) throw runtimeGone(host, dev);
    if (observed.stopped) throw stoppedAgain(host);
    if (runtime?.ready) return current.runtime;
    const reason = runtime ? (runtime.reason ?? "no reason given") : "it does not answer yet";
    if (reason !== told) output.progress(`${host}: starting: ${reason}`);
    told = reason;
    if (systemClock.now() > deadline) throw notReady(host, reason, current.runtime);
    // A container that was still being stopped when it was started ends once more.
    if (isDown(observed, current)) await connection.docker.startContainer(current.runtime);
    await systemClock.sleep(waitMs, signal);
  }
}

function hasContainer({ containers }: ObservedHost, { runtime }: Current): boolean {
  return containers.some(({ name }) => name === runtime);
}

function isDown({ containers }: ObservedHost, { runtime }: Current): boolean {
  return containers.some(({ name, state }) => name === runtime && state === "exited");
}

function runtimeGone(host: string, dev: boolean): AlError {
  return new AlError(`host ${host}: it may start again, but its runtime container is gone`, {
    code: "runtime-gone",
    blame: "user",
    hint: dev ? "Make it anew: al dev" : `Make it anew: al apply --host ${host}`,
  });
}

function notReady(host: string, reason: string, runtime: string): AlError {
  return new AlError(`host ${host} was started, and is not ready: ${reason}`, {
    code: "not-ready",
    blame: "transient",
    hint: `Look at the runtime's own log on the host: docker logs ${runtime}`,
  });
}

function stoppedAgain(host: string): AlError {
  return new AlError(`host ${host} was stopped again while it started`, {
    code: "host-stopped",
    blame: "user",
    hint: `Who did it: al status --host ${host}`,
  });
}
