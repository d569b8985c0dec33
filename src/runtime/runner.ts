import { join } from "node:path";
import { AlError } from "../base/errors.ts";
import { LABELS } from "../core/names.ts";
import { assemblePrompt } from "../core/prompt.ts";
import type { MadeFrom, Run } from "../core/run.ts";
import { splitTrigger } from "../core/trigger.ts";
import type { ContainerState } from "../docker/container-calls.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { sweepRuns } from "../host/sweep-runs.ts";
import type { CreateRequest, RunExit, RunnerPort, RunPresence } from "../schedule/ports.ts";
import { credentialVersionsOf } from "./credential-versions.ts";
import { readInstructions } from "./release.ts";
import {
  carrierContainer,
  type Place,
  runContainer,
  runLabels,
  type StartedRun,
} from "./run-container.ts";
import { runCredentialFiles } from "./run-credentials.ts";
import { credentialFiles, type RunFile, runArchive } from "./run-files.ts";
import { copyLog } from "./run-log-copy.ts";
import { logPath } from "./run-log-file.ts";
import { runObjectNames } from "./run-names.ts";

/** What runs are made from. */
export interface RunnerOptions {
  readonly docker: DockerClient;
  readonly place: Place;
  readonly projectDir: string;
}

/** How long the engine may take to see that a killed container has ended. */
const KILL_WAIT_MS = 10_000;

/** Runs as Docker containers. */
export function createRunner(options: RunnerOptions): RunnerPort {
  const { docker, place, projectDir } = options;
  const inspect = (run: Run, signal: AbortSignal) => inspectOwn(options, run, signal);
  return {
    create: (request, signal) => createRun(options, request, signal),
    madeFrom: (run, signal) => madeFrom(options, run, signal),
    start: (run, signal) => docker.startContainer(started(run).start.container, { signal }),
    async look(run, signal) {
      return presenceOf(await inspect(run, signal));
    },
    async wait(run, { signal, onUsage }) {
      const { container } = started(run).start;
      if (presenceOf(await inspect(run, signal)) !== "started") return { kind: "gone" };
      await copyLog({ docker, container, path: logPath(projectDir, run), signal, onUsage });
      return exitOf(container, await inspect(run, signal));
    },
    async kill(run, signal) {
      const before = await inspect(run, signal);
      if (!before || !isRunning(before)) return false;
      await docker.killContainer(before.id, { signal });
      await docker.waitContainer(before.id, { signal, timeoutMs: KILL_WAIT_MS });
      const after = await inspect(run, signal);
      return !after || !isRunning(after);
    },
    async remove(run, signal) {
      if (!run.start) return;
      await docker.removeContainer(run.start.container, { force: true, signal });
      await removeParts(docker, run.start.container, signal);
    },
    sweep: (unfinished, signal) =>
      sweepRuns({ docker, project: place.project }, unfinished, signal),
  };
}

async function createRun(
  options: RunnerOptions,
  request: CreateRequest,
  signal: AbortSignal,
): Promise<void> {
  const { docker, place } = options;
  const run = started(request.run);
  const { container } = run.start;
  if (await inspectOwn(options, run, signal)) return;
  // What an interrupted attempt left may be half filled.
  await removeParts(docker, container, signal);
  const [credentials, input] = await Promise.all([
    credentialsOf(options, request),
    inputFiles(options, request),
    fillable(options, run, signal),
  ]);
  const { carrier } = runObjectNames(container);
  const put = (path: string, files: readonly RunFile[]) =>
    docker.putArchive(carrier, runArchive(files), { path, signal });
  await Promise.all([put("/credentials", credentials), put("/run/al", input)]);
  const made = docker.createContainer(runContainer(place, run, request.agent), { signal });
  await Promise.all([made, docker.removeContainer(carrier, { force: true, signal })]);
}

async function madeFrom(options: RunnerOptions, run: Run, signal: AbortSignal): Promise<MadeFrom> {
  const { projectDir } = options;
  const [state, credentials] = await Promise.all([
    inspectOwn(options, run, signal),
    // A set that only an older run needs may have been pruned.
    runCredentialFiles(projectDir, run).catch(() => []),
  ]);
  const credentialVersions = await credentialVersionsOf(projectDir, credentials);
  return { imageId: state?.imageId ?? "", credentialVersions };
}

/** The two volumes, and a carrier that has them mounted. */
async function fillable(
  { docker, place }: RunnerOptions,
  run: StartedRun,
  signal: AbortSignal,
): Promise<void> {
  const names = runObjectNames(run.start.container);
  const labels = runLabels(place, run, "run");
  await Promise.all(
    [names.credentials, names.input].map((name) =>
      docker.createVolume({ name, labels }, { signal }),
    ),
  );
  await docker.createContainer(carrierContainer(place, run), { signal });
}

async function removeParts(
  docker: DockerClient,
  container: string,
  signal: AbortSignal,
): Promise<void> {
  const names = runObjectNames(container);
  await docker.removeContainer(names.carrier, { force: true, signal });
  await Promise.all(
    [names.credentials, names.input].map((name) => docker.removeVolume(name, { signal })),
  );
}

function credentialsOf({ projectDir }: RunnerOptions, request: CreateRequest): Promise<RunFile[]> {
  const set = join(projectDir, "credentials", started(request.run).start.credentials);
  return credentialFiles(set, request.agent.credentials);
}

async function inputFiles(
  { projectDir }: RunnerOptions,
  { run, trigger, agent, secret }: CreateRequest,
): Promise<RunFile[]> {
  const { release } = started(run).start;
  const { name, model, credentials, params, preflight, timeoutSeconds } = agent;
  const instructions = await readInstructions(projectDir, { release, agent: name });
  const config = { name, instructions, model, credentials, params, preflight, timeoutSeconds };
  const prompt = assemblePrompt({ params, credentials, timeoutSeconds, trigger });
  const { context } = splitTrigger(trigger);
  return [
    { path: "config.json", content: Buffer.from(JSON.stringify(config)) },
    { path: "prompt", content: Buffer.from(prompt) },
    { path: "secret", content: Buffer.from(secret) },
    ...(context === undefined ? [] : [{ path: "context.json", content: Buffer.from(context) }]),
  ];
}

/** The run's container, if it is there; a stranger under its name is an error. */
async function inspectOwn(
  { docker, place }: RunnerOptions,
  run: Run,
  signal: AbortSignal,
): Promise<ContainerState | undefined> {
  const { container } = started(run).start;
  const state = await docker.inspectContainer(container, { signal });
  if (!state || state.labels[LABELS.project] === place.project) return state;
  throw new AlError(`container ${container} is not ours`, {
    code: "foreign-container",
    blame: "terminal",
    hint: `Look at it, and remove it if nobody needs it: docker rm ${container}`,
  });
}

function presenceOf(state: ContainerState | undefined): RunPresence {
  if (!state) return "absent";
  return Date.parse(state.startedAt) > 0 ? "started" : "created";
}

function exitOf(container: string, state: ContainerState | undefined): RunExit {
  if (!state) return { kind: "gone" };
  if (isRunning(state)) {
    throw new AlError(`the log of ${container} ended before it did`, {
      code: "log-cut",
      blame: "transient",
    });
  }
  return {
    kind: "exited",
    code: state.exitCode,
    outOfMemory: state.outOfMemory,
    startedAt: Date.parse(state.startedAt),
    endedAt: Date.parse(state.finishedAt),
  };
}

function isRunning({ state }: ContainerState): boolean {
  return state === "running" || state === "paused" || state === "restarting";
}

function started(run: Run): StartedRun {
  if (run.start) return run as StartedRun;
  throw new AlError(`run ${run.id} has not been prepared`, { code: "run-state", blame: "bug" });
}
