import { parseArgs } from "node:util";
import { toAlError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import { openFields } from "../core/credential-types.ts";
import { type ContainerPaths, containerPaths } from "./container-paths.ts";
import { modelKey, requireCredentials } from "./credential-injection.ts";
import { type Environment, processEnvironment } from "./environment.ts";
import { runPreflight } from "./preflight.ts";
import { prepareEnvironment } from "./prepare-environment.ts";
import { runAgent } from "./run-agent.ts";
import { loadCredentials, type RunCredentials } from "./run-credentials.ts";
import { type RunInput, readRunInput } from "./run-input.ts";
import { createRunLog, type RunLog } from "./run-log.ts";
import { exitCodeOf, readSignals, type Signals, watchSignals } from "./signals.ts";
import { Stop } from "./stop.ts";
import { DEFAULT_TIMEOUT_SECONDS, startTerminationTimer } from "./termination-timer.ts";

/** How long a stopped run may take to end its session before the process exits anyway. */
const STOP_GRACE_MS = 500;

interface Entry {
  readonly paths: ContainerPaths;
  readonly env: Environment;
  readonly log: RunLog;
  readonly stop: Stop;
  readonly retryBaseMs: number | undefined;
}

// Both flags serve tests: a directory that stands for `/`, and shorter waits after rate limits.
const { values } = parseArgs({
  options: { root: { type: "string" }, "retry-base-ms": { type: "string" } },
});
const retryBaseMs = values["retry-base-ms"];

await main({
  paths: containerPaths(values.root),
  env: processEnvironment,
  log: createRunLog((line) => process.stdout.write(line), Date.now),
  stop: new Stop(),
  retryBaseMs: retryBaseMs === undefined ? undefined : Number(retryBaseMs),
});

/** Runs the agent once and ends the process, whatever happens. */
async function main(entry: Entry): Promise<void> {
  const { log, stop } = entry;
  stop.onStop(() => setTimeout(() => process.exit(stop.code), STOP_GRACE_MS));
  // Not `once`: a library of pi's ends the process itself when it sees no other listener left.
  process.on("SIGTERM", () => {
    log.log("warn", "container stopped by SIGTERM");
    stop.now(143);
  });
  process.on("uncaughtException", (thrown) => process.exit(fail(log, thrown)));
  process.exit(await run(entry).catch((thrown) => stop.code ?? fail(log, thrown)));
}

async function run(entry: Entry): Promise<number> {
  const { paths, env, log, stop, retryBaseMs } = entry;
  process.chdir(paths.tmp);
  const timer = startTerminationTimer(env.get("TIMEOUT_SECONDS"), entry);
  const input = await readRunInput(paths, env);
  const { config, prompt } = input;
  if (input.secret) log.hide([input.secret]);
  timer.fallback(config.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS);
  log.log("info", "container starting", { agentName: config.name, modelId: config.model.model });
  const credentials = await takeCredentials(entry, input);
  requireCredentials(credentials, config.credentials);
  const key = modelKey(credentials, config.credentials, config.model.provider);
  const signals = await prepareEnvironment(entry, input, credentials);
  const unwatch = await watchSignals(signals, (seen) => heed(entry, seen));
  await runPreflight(config.preflight, { tmp: paths.tmp, env, log, stop });
  if (!stop.stopped) {
    await runAgent({
      ...{ config, prompt, key, log, stop, retryBaseMs, cwd: paths.tmp },
      // Loaded late: pi takes half a second, in which a SIGTERM must already be heard.
      createSession: async (options) => (await import("./pi-session.ts")).createPiSession(options),
    });
  }
  unwatch();
  return finish(entry, await readSignals(signals));
}

async function takeCredentials(entry: Entry, { secret }: RunInput): Promise<RunCredentials> {
  const { paths, env, log, retryBaseMs } = entry;
  const loaded = await loadCredentials({
    directory: paths.credentials,
    env,
    gateway: { url: env.get("GATEWAY_URL"), secret, retryBaseMs },
  });
  if (!loaded) return new Map();
  log.hide(secretsOf(loaded.credentials));
  log.log("info", `credentials loaded from ${loaded.source}`);
  return loaded.credentials;
}

function secretsOf(credentials: RunCredentials): Secret[] {
  return [...credentials].flatMap(([type, instances]) =>
    [...instances.values()].flatMap((fields) =>
      [...fields]
        .filter(([field]) => !openFields.has(`${type}/${field}`))
        .map(([, value]) => value),
    ),
  );
}

/** Acts on signals while the run goes on. */
function heed({ log, stop }: Entry, { status, exitCode, unknownExit }: Signals): void {
  if (status !== undefined) log.log("info", "status", { text: status });
  if (exitCode === undefined) return;
  const hint = "al-exit takes 0, 1 or 10 to 16";
  log.log("warn", "al-exit", {
    exitCode,
    ...(unknownExit === undefined ? {} : { given: unknownExit, hint }),
  });
  stop.now(exitCode);
}

function finish({ log, stop }: Entry, signals: Signals): number {
  if (signals.rerun) log.log("info", "rerun requested");
  if (signals.returnValue !== undefined) log.log("info", "return", { value: signals.returnValue });
  return exitCodeOf({ ...signals, abortCode: stop.code });
}

function fail(log: RunLog, thrown: unknown): number {
  const error = toAlError(thrown);
  const { code, hint } = error;
  log.log("error", "run failed", { error: error.message, code, ...(hint ? { hint } : {}) });
  return 1;
}
