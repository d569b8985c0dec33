import { systemClock } from "../../base/clock.ts";
import { AlError, toAlError } from "../../base/errors.ts";
import type { Current, ObservedHost } from "../../core/observed.ts";
import type { CliContext } from "../context.ts";
import type { StartEnd } from "../render/start.ts";
import { whereFlags } from "../render/where-flags.ts";
import { askStatus, resume } from "../steering.ts";
import type { Asked } from "./each-runtime.ts";
import { notDeployed, type ObservedPlace } from "./live-runtime.ts";

const FIRST_LOOK_MS = 250;
const LONGEST_MS = 1000;

/** What is known of the project whose runtime is to be started. */
export interface Starting extends Omit<Asked, "hosts"> {
  /** It is that of `al dev` on this machine. */
  readonly dev: boolean;
}

type Speaker = Pick<CliContext, "holder" | "output" | "signal">;

/**
 * Has a host's runtime go on, waits until it is ready, and ends the pause that its stop began. When that
 * fails, the host stays paused, and the error says so.
 * @throws AlError `not-deployed`, `runtime-gone`, `host-stopped` (user), `not-ready`, `host-locked` (transient).
 */
export async function startHost(
  speaker: Speaker,
  place: ObservedPlace,
  of: Starting,
): Promise<StartEnd> {
  const { signal } = speaker;
  const drained = await letGo(speaker, place, of);
  return orStaysPaused(place, { ...of, drained, signal }, async () => {
    const runtime = await untilReady(speaker, place, of);
    const live = { connection: place.connection, runtime };
    const resumed = drained && (await resume(live, {}, signal));
    const { report, paused, agents } = await askStatus(live, signal);
    return {
      ...{ revision: report.revision, wanted: of.revision, activeRuns: report.activeRuns, resumed },
      queued: agents.reduce((sum, { queued }) => sum + queued, 0),
      ...(paused && { paused }),
    };
  });
}

/**
 * Takes the marker away and starts what `current.json` names, under the host lock. What it does rests on a
 * look under it: a pass may have switched the host meanwhile. True when it was paused only for its stop.
 */
async function letGo(
  { holder, signal }: Speaker,
  place: ObservedPlace,
  of: Starting,
): Promise<boolean> {
  const { connection } = place;
  const { host } = place.observed;
  // Locking makes the project's directory, where there is none.
  if (isBare(place.observed)) throw notDeployed(host);
  const lock = await connection.lock(of.project, { holder, signal });
  try {
    const observed = await connection.observe(of.project, { signal: lock.signal });
    if (isBare(observed)) throw notDeployed(host);
    const { current, stopped, facts } = observed;
    const drained = stopped?.drained === true;
    await orStaysPaused(place, { ...of, drained, signal }, async () => {
      if (stopped) await connection.removeStopped(facts.projectDir);
      if (!current) throw notDeployed(host);
      if (!hasContainer(observed, current)) throw runtimeGone(host, of.dev);
      await connection.docker.startContainer(current.runtime, { signal: lock.signal });
      for (const entry of [current.door, current.ingress]) {
        const found = observed.containers.find(({ name }) => name === entry);
        if (found) await connection.docker.startContainer(found.name, { signal: lock.signal });
      }
    });
    return drained;
  } finally {
    await lock.release();
  }
}

/**
 * Waits for the runtime that is live by then, and names it.
 * @throws AlError `not-ready` (transient) when the time is up, `host-stopped` when somebody stops it again.
 */
async function untilReady(
  { output, signal }: Speaker,
  { connection, observed: { host } }: ObservedPlace,
  { project, confirmTimeoutMs, dev }: Starting,
): Promise<string> {
  const deadline = systemClock.now() + confirmTimeoutMs;
  let told = "";
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_MS)) {
    const observed = await connection.observe(project, { signal });
    const { current, runtime } = observed;
    if (!current || !hasContainer(observed, current)) throw runtimeGone(host, dev);
    if (observed.stopped) throw stoppedAgain(host, dev);
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

function isBare({ current, stopped }: ObservedHost): boolean {
  return !current && !stopped;
}

function hasContainer({ containers }: ObservedHost, { runtime }: Current): boolean {
  return containers.some(({ name }) => name === runtime);
}

function isDown({ containers }: ObservedHost, { runtime }: Current): boolean {
  return containers.some(({ name, state }) => name === runtime && state === "exited");
}

interface Letting {
  /** It was paused only for its stop. */
  readonly drained: boolean;
  readonly dev: boolean;
  readonly signal: AbortSignal;
}

/** Once its marker is gone, nothing but this command remembers that a host is paused only for its stop. */
async function orStaysPaused<T>(
  { observed: { host } }: ObservedPlace,
  of: Letting,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw of.drained ? staysPaused(host, thrown, of) : thrown;
  }
}

function staysPaused(host: string, thrown: unknown, { dev, signal }: Letting): AlError {
  const cause = toAlError(thrown);
  const { code, blame } = signal.aborted ? ({ code: "start-left", blame: "user" } as const) : cause;
  const goOn = `al resume ${whereFlags(host, dev)}`;
  return new AlError(`${cause.message}; host ${host} stays paused, as it was for its stop`, {
    ...{ code, blame, cause },
    hint: `${cause.hint ? `${cause.hint}; to` : "To"} let it go on: ${goOn}`,
  });
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

function stoppedAgain(host: string, dev: boolean): AlError {
  return new AlError(`host ${host} was stopped again while it started`, {
    code: "host-stopped",
    blame: "user",
    hint: `Who did it: al status ${whereFlags(host, dev)}`,
  });
}
