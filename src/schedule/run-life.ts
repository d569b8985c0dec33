import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { AlError, toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { ReleasedAgent } from "../core/released.ts";
import type { FinishedRun, NewRun, Run } from "../core/run.ts";
import { standingHolds, whyHeld } from "./holds.ts";
import { finishedRun, rerunOf } from "./outcome.ts";
import type {
  HoldStore,
  LiveRelease,
  ReleasePort,
  RunExit,
  RunnerPort,
  RunStore,
} from "./ports.ts";
import { retry, stubborn } from "./retry.ts";
import { followBudget } from "./run-budget.ts";
import { enforceTimeout } from "./run-timeout.ts";

const START_ATTEMPTS = 3;

/** What carrying a run through its life needs. */
export interface RunLifePorts {
  readonly store: RunStore;
  readonly runner: RunnerPort;
  readonly releases: ReleasePort;
  readonly holds: HoldStore;
  readonly clock: Clock;
  /** Does not jump when the machine's clock is set: timeouts go by it. */
  readonly steady: Clock;
  readonly logger: Logger;
  /** The name of a run's container, always the same for the same run. */
  containerName(run: Run): string;
  newId(): string;
}

/** One way through a run's life. Aborting leaves the run as it is, for the next process to take over. */
export interface RunLife {
  /** From `queued` to the end, or back when its agent is held meanwhile; resolves when the intent is stored. */
  begin(run: Run, release: LiveRelease, signal: AbortSignal): Promise<Started>;
  /** From whatever an earlier process reached to the end; what was never started goes back to the queue. */
  adopt(run: Run, signal: AbortSignal): Promise<void>;
}

/** A run whose intent is stored; `end` resolves when it is finished or queued again. It never rejects but by abort. */
export interface Started {
  readonly run: Run;
  readonly end: Promise<void>;
}

/** Lives of runs: every state is stored before the effect it announces. */
export function createRunLife(ports: RunLifePorts): RunLife {
  return {
    async begin(run, release, signal) {
      const agent = release.agents.get(run.agent) as ReleasedAgent;
      const secret = randomBytes(32).toString("base64url");
      const started = await storeIntent(ports, run, { release, agent, secret });
      return { run: started, end: startAndCarry(ports, { run: started, agent, secret }, signal) };
    },
    async adopt(run, signal) {
      const presence = await retry(
        () => ports.runner.look(run, signal),
        stubborn(ports, run, signal),
      );
      if (presence === "started") await carry(ports, run, signal);
      else if (run.state === "starting") await putBack(ports, run, signal);
      else await end(ports, run, { kind: "gone" }, signal);
    },
  };
}

async function storeIntent(
  { store, containerName }: RunLifePorts,
  run: Run,
  { release, agent, secret }: { release: LiveRelease; agent: ReleasedAgent; secret: string },
): Promise<Run> {
  const start = {
    revision: release.revision,
    release: release.release,
    image: agent.image,
    credentials: release.credentials,
    container: containerName(run),
    timeoutSeconds: agent.timeoutSeconds,
    ...(agent.limits && { limits: agent.limits }),
  };
  const secretHash = createHash("sha256").update(secret).digest("hex");
  await store.starting(run.id, { ...start, secretHash });
  return { ...run, state: "starting", start };
}

interface Launch {
  readonly run: Run;
  readonly agent: ReleasedAgent;
  readonly secret: string;
}

async function startAndCarry(
  ports: RunLifePorts,
  launch: Launch,
  signal: AbortSignal,
): Promise<void> {
  const { run } = launch;
  let launched: "started" | "held";
  try {
    launched = await retry(() => launchOnce(ports, launch, signal), {
      clock: ports.clock,
      signal,
      onFailure: (failure, attempt) => {
        const reason = failure.message;
        ports.logger.warn({ run: run.id, agent: run.agent, reason }, "start failed");
        const hopeless = failure.blame === "user" || failure.blame === "terminal";
        return !hopeless && attempt < START_ATTEMPTS;
      },
    });
  } catch (thrown) {
    signal.throwIfAborted();
    return giveUp(ports, run, toAlError(thrown), signal);
  }
  return launched === "held" ? hold(ports, run, signal) : carry(ports, run, signal);
}

async function launchOnce(
  { runner, store, holds }: RunLifePorts,
  { run, agent, secret }: Launch,
  signal: AbortSignal,
): Promise<"started" | "held"> {
  const trigger = await store.trigger(run.id);
  await runner.create({ run, trigger, agent, secret }, signal);
  if (await isToBeKilled(store, run)) {
    throw new AlError("killed before it started", { code: "run-killed", blame: "user" });
  }
  if (whyHeld(await standingHolds(holds), run.agent) !== undefined) return "held";
  await runner.start(run, signal);
  return "started";
}

async function isToBeKilled(store: RunStore, { id }: Run): Promise<boolean> {
  return (await store.get(id))?.killReason !== undefined;
}

/** A start that failed may have had its effect all the same: only what is certainly not running goes back. */
async function hold(ports: RunLifePorts, run: Run, signal: AbortSignal): Promise<void> {
  const presence = await retry(() => ports.runner.look(run, signal), stubborn(ports, run, signal));
  return presence === "started" ? carry(ports, run, signal) : putBack(ports, run, signal);
}

/** Into the queue again, without what was made of it; or to its end, if it is to be killed. */
async function putBack(ports: RunLifePorts, run: Run, signal: AbortSignal): Promise<void> {
  const { store, clock, logger } = ports;
  await retry(() => ports.runner.remove(run, signal), stubborn(ports, run, signal));
  if (await store.requeue(run.id)) {
    logger.info({ run: run.id, agent: run.agent }, "run goes back to the queue");
    return;
  }
  const { killReason = "killed" } = (await store.get(run.id)) ?? {};
  const detail = "killed before it started";
  await store.finished(run.id, { outcome: killReason, endedAt: clock.now(), detail });
}

/** A failed call may have had its effect: only what is certainly not running is given up. */
async function giveUp(
  ports: RunLifePorts,
  run: Run,
  failure: AlError,
  signal: AbortSignal,
): Promise<void> {
  const presence = await retry(() => ports.runner.look(run, signal), stubborn(ports, run, signal));
  if (presence === "started") return carry(ports, run, signal);
  await ports.store.finished(run.id, {
    outcome: (await ports.store.get(run.id))?.killReason ?? "not-started",
    endedAt: ports.clock.now(),
    detail: failure.message,
  });
  ports.logger.error({ run: run.id, agent: run.agent, err: failure }, "run not started");
  await removeQuietly(ports, run, signal);
}

/** From a started container to the stored end of its run. */
async function carry(ports: RunLifePorts, run: Run, signal: AbortSignal): Promise<void> {
  const { store, clock, logger } = ports;
  const startedAt = run.startedAt ?? clock.now();
  if (run.state === "starting") await store.running(run.id, startedAt);
  logger.info({ run: run.id, agent: run.agent, trigger: run.trigger.kind }, "run started");
  const watch = new AbortController();
  const watched = AbortSignal.any([signal, watch.signal]);
  const enforced = enforceTimeout(ports, { ...run, startedAt }, watched).catch(() => undefined);
  const noted = noteMade(ports, run, watched);
  const killed = killIfOrdered(ports, run, watched).catch(() => undefined);
  const insist = <T>(work: () => Promise<T>) => retry(work, stubborn(ports, run, watched));
  const budget = followBudget(ports, run, { insist, signal: watched });
  const onUsage = budget.seen;
  const exit = await retry(
    () => ports.runner.wait(run, { signal, onUsage }),
    stubborn(ports, run, signal),
  );
  await Promise.all([noted, budget.settled()]);
  watch.abort();
  await Promise.all([enforced, killed]);
  await end(ports, run, exit, signal);
}

/** Who ordered it while the run was being started found nothing to kill, or died before it could. */
async function killIfOrdered(ports: RunLifePorts, run: Run, signal: AbortSignal): Promise<void> {
  if (!(await isToBeKilled(ports.store, run))) return;
  await retry(() => ports.runner.kill(run, signal), stubborn(ports, run, signal));
}

/** Beside the run, which does not wait for its record. */
async function noteMade(ports: RunLifePorts, run: Run, signal: AbortSignal): Promise<void> {
  const { runner, store, logger } = ports;
  if (run.made) return;
  try {
    await store.made(run.id, await runner.madeFrom(run, signal));
  } catch (thrown) {
    if (signal.aborted) return;
    const reason = toAlError(thrown).message;
    logger.warn(
      { run: run.id, agent: run.agent, reason },
      "what a run was made from is not recorded",
    );
  }
}

/** Stores the end, with its rerun in the same transaction, and only then removes the container. */
async function end(
  ports: RunLifePorts,
  run: Run,
  exit: RunExit,
  signal: AbortSignal,
): Promise<void> {
  const { store, clock, logger } = ports;
  // Read again: a kill may have been asked for meanwhile.
  const latest = (await store.get(run.id)) ?? run;
  const result = finishedRun(latest, exit, clock.now());
  const { final, next } = await withRerun(ports, latest, result, signal);
  await store.finished(run.id, final, next);
  const { outcome, exitCode } = final;
  logger.info({ run: run.id, agent: run.agent, outcome, exitCode, rerun: next?.id }, "run ended");
  await removeQuietly(ports, run, signal);
}

/** The end as it is stored, and the run that follows. Only what may be run again needs the release. */
async function withRerun(
  ports: RunLifePorts,
  run: Run,
  result: FinishedRun,
  signal: AbortSignal,
): Promise<{ final: FinishedRun; next?: NewRun }> {
  if (result.outcome !== "rerun" && result.outcome !== "interrupted") return { final: result };
  const release = await retry(() => ports.releases.current(), stubborn(ports, run, signal));
  if (!release) throw notServing();
  const rerun = rerunOf(run, result, release);
  if (!rerun) return { final: result };
  if ("refused" in rerun) {
    const detail = [result.detail, rerun.refused].filter((text) => text !== undefined).join("; ");
    return { final: { ...result, detail } };
  }
  // With its context, which is forgotten with the run's end.
  const trigger = await ports.store.trigger(run.id);
  const next = { ...rerun, trigger, id: ports.newId(), createdAt: ports.clock.now() };
  return { final: result, next };
}

/** What stays behind is swept at the next start. */
async function removeQuietly(ports: RunLifePorts, run: Run, signal: AbortSignal): Promise<void> {
  const { clock, logger } = ports;
  await retry(() => ports.runner.remove(run, signal), {
    clock,
    signal,
    onFailure: (error, attempt) => {
      const reason = error.message;
      logger.warn({ run: run.id, agent: run.agent, reason }, "run's container not removed");
      return attempt < START_ATTEMPTS;
    },
  }).catch(() => undefined);
}

function notServing(): AlError {
  return new AlError("another runtime is live", { code: "not-serving", blame: "transient" });
}
