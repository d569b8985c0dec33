import { systemClock } from "../../base/clock.ts";
import { AlError } from "../../base/errors.ts";
import type { HostAddress } from "../../core/desired.ts";
import { remoteAddress } from "../../git/repository-address.ts";
import { runController, type SourcePort } from "../../reconcile/controller.ts";
import type { PassDeps } from "../../reconcile/pass.ts";
import { poolSessions } from "../../reconcile/session-pool.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { devPlace } from "../dev-place.ts";
import { EXIT } from "../exit.ts";
import { readImageAssets } from "../image-assets.ts";
import { recordOwner } from "../project-owner.ts";
import { environmentsDirectory } from "../read-overlays.ts";
import { devReporter } from "../render/dev.ts";
import { stopRuntime } from "../stop-runtime.ts";
import { watchFiles } from "../watch-files.ts";
import { openWorkingProject } from "../working-project.ts";

/** Nothing is over the network here: looking often costs little, and finds new credentials too. */
const INTERVAL_MS = 10_000;
const STOP_TIMEOUT_MS = 60_000;

/** `al dev`: keeps this machine at the working tree until interrupted, then stops the runtime. */
export async function dev(
  context: CliContext,
  { environment }: { readonly environment: string | undefined },
): Promise<number> {
  const { project, address } = await devPlace(context);
  await recordOwner(context, project);
  const adapters = compose(context, project, { grants: "given" });
  const pool = poolSessions(adapters.hosts);
  try {
    await runController({
      source: await workingSource(context, { project, environment }),
      remote: await remoteAddress(context.project),
      depsFor: (): PassDeps => ({ ...adapters.deps, hosts: pool }),
      clock: systemClock,
      intervalMs: INTERVAL_MS,
      signal: context.signal,
      onEvent: devReporter(context.output, { directory: context.project, project }),
    });
  } finally {
    await pool.closeAll();
    adapters.close();
  }
  await stop(context, project, address);
  return EXIT.done;
}

async function workingSource(
  context: CliContext,
  { project, environment }: { project: string; environment: string | undefined },
): Promise<SourcePort> {
  const working = openWorkingProject(context, { environment, assets: await readImageAssets() });
  return {
    fetch: () => working.look(),
    async desired() {
      const desired = await working.desired();
      if (desired.kind === "refused" || desired.fleet.project === project) return desired;
      throw renamed(project, desired.fleet.project);
    },
    watch: (onWake, signal) =>
      watchFiles([context.project, environmentsDirectory(context.home)], onWake, signal),
  };
}

/** On a connection of its own: those of the passes ended with the interruption. */
async function stop(context: CliContext, project: string, address: HostAddress): Promise<void> {
  const { output, holder } = context;
  const signal = AbortSignal.timeout(STOP_TIMEOUT_MS);
  const adapters = compose({ ...context, signal }, project);
  try {
    const connection = await adapters.connect(address);
    try {
      const { runtimes, runs } = await stopRuntime(connection, { project, holder, signal });
      output.record({ kind: "stopped", project, runtimes, runs: runs.length });
      if (runtimes.length > 0) output.line(`stopped ${runtimes.join(", ")}`);
      if (runs.length > 0) output.line(`runs that go on, and end by themselves: ${runs.length}`);
    } finally {
      await connection.close();
    }
  } finally {
    adapters.close();
  }
}

function renamed(before: string, after: string): AlError {
  return new AlError(`the project is called ${after} now; this is watching ${before}`, {
    code: "project-renamed",
    blame: "user",
    hint: "Start al dev again.",
  });
}
