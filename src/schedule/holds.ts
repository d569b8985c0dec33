import type { Clock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { type Hold, type HoldKey, holdText } from "../core/hold.ts";
import type { HoldStore, LiveRelease, ReleasePort } from "./ports.ts";

/** What is held at a moment. */
export interface Standing {
  readonly scheduler?: Hold;
  /** By agent. */
  readonly paused: ReadonlyMap<string, Hold>;
  /** By agent. */
  readonly disabled: ReadonlyMap<string, Hold>;
}

/** Reads what is held, afresh. */
export async function standingHolds(store: HoldStore): Promise<Standing> {
  const paused = new Map<string, Hold>();
  const disabled = new Map<string, Hold>();
  let scheduler: Hold | undefined;
  for (const { kind, agent, hold } of await store.list()) {
    if (agent !== undefined) (kind === "paused" ? paused : disabled).set(agent, hold);
    else if (kind === "paused") scheduler = hold;
  }
  return { ...(scheduler && { scheduler }), paused, disabled };
}

/** Why nothing of an agent starts, in words; undefined when it may. */
export function whyHeld(
  { scheduler, paused, disabled }: Standing,
  agent: string,
): string | undefined {
  const off = disabled.get(agent);
  if (off) return `agent ${agent} is disabled ${holdText(off)}`;
  if (scheduler) return `the scheduler is paused ${holdText(scheduler)}`;
  const own = paused.get(agent);
  return own && `agent ${agent} is paused ${holdText(own)}`;
}

/** @throws AlError `agent-disabled` (user) for an agent that an operator disabled. */
export function refuseDisabled({ disabled }: Standing, agent: string): void {
  const hold = disabled.get(agent);
  if (!hold) return;
  throw new AlError(`agent ${agent} is disabled ${holdText(hold)}`, {
    code: "agent-disabled",
    blame: "user",
    hint: `Enable it: al enable ${agent}`,
  });
}

/** @throws AlError `paused` (user) while nothing of the agent starts; to be asked after {@link refuseDisabled}. */
export function refusePaused(standing: Standing, agent: string): void {
  const reason = whyHeld(standing, agent);
  if (reason === undefined) return;
  const command = standing.scheduler ? "al resume" : `al resume ${agent}`;
  throw new AlError(reason, { code: "paused", blame: "user", hint: `Let it go on: ${command}` });
}

/** Sets and lifts holds; durable when resolved. */
export interface Holds {
  /** Idempotent: the first hold stays. @throws AlError `unknown-agent` (user). */
  put(key: HoldKey, by?: string): Promise<Hold>;
  /** False when there was none. @throws AlError `unknown-agent` (user) for one that has none and is not live. */
  lift(key: HoldKey): Promise<boolean>;
}

/** Holds over a store; every change is logged. */
export function createHolds(ports: {
  readonly holds: HoldStore;
  readonly releases: ReleasePort;
  readonly clock: Clock;
  readonly logger: Logger;
}): Holds {
  const { holds, releases, clock, logger } = ports;
  return {
    async put(key, by) {
      await refuseUnknown(releases, key);
      const wanted = { since: clock.now(), ...(by !== undefined && { by }) };
      const hold = await holds.put(key, wanted);
      logger.info({ ...fieldsOf(key), ...hold }, `${subjectOf(key)} ${key.kind}`);
      return hold;
    },
    async lift(key) {
      const wasHeld = await holds.lift(key);
      if (!wasHeld) await refuseUnknown(releases, key);
      const verb = key.kind === "paused" ? "resumed" : "enabled";
      if (wasHeld) logger.info(fieldsOf(key), `${subjectOf(key)} ${verb}`);
      return wasHeld;
    },
  };
}

/** An agent that is not live may still be held from when it was. */
async function refuseUnknown(releases: ReleasePort, { agent }: HoldKey): Promise<void> {
  const release = agent === undefined ? undefined : await releases.current();
  if (agent !== undefined && release) refuseUnknownAgent(release, agent);
}

/** @throws AlError `unknown-agent` (user) for a name that the release does not have. */
export function refuseUnknownAgent({ agents }: LiveRelease, agent: string): void {
  if (agents.has(agent)) return;
  const names = [...agents.keys()].join(", ");
  throw new AlError(`there is no agent ${agent} in the live release`, {
    code: "unknown-agent",
    blame: "user",
    hint: names ? `On this host: ${names}.` : "No agent is on this host.",
  });
}

function fieldsOf({ agent }: HoldKey) {
  return agent === undefined ? {} : { agent };
}

function subjectOf({ agent }: HoldKey): string {
  return agent === undefined ? "scheduler" : "agent";
}
