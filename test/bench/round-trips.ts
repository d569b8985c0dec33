import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { compose } from "../../src/cli/compose.ts";
import type { CliContext } from "../../src/cli/context.ts";
import { openProject } from "../../src/cli/project.ts";
import { createOutput } from "../../src/cli/render/output.ts";
import { runFleetPass } from "../../src/reconcile/fleet-pass.ts";
import { poolSessions } from "../../src/reconcile/session-pool.ts";
import { startDelayProxy } from "../lab/delay-proxy.ts";
import type { World } from "../world/world.ts";

/** One way. Long, so that what else the machine does at the same time weighs little. */
const DELAY_MS = 150;
const PASSES = 6;

/** Round trips of a pass that finds nothing to do, and how long it takes without delay. */
export interface RoundTrips {
  /** Connecting included. */
  readonly cold: number;
  /** On the connection of the pass before. */
  readonly warm: number;
  readonly coldMs: number;
  readonly warmMs: number;
}

/**
 * Counts round trips as time: what a pass takes longer behind a proxy that delays every byte,
 * divided by the delay of there and back. The shortest of several passes: what else the machine
 * does can only add to it.
 */
export async function measureRoundTrips(world: World): Promise<RoundTrips> {
  const near = await openRoute(world, 0);
  const far = await openRoute(world, DELAY_MS);
  try {
    const cold = await compare(near.cold, far.cold);
    const warm = await compare(near.warm, far.warm);
    return { cold: cold.trips, warm: warm.trips, coldMs: cold.nearMs, warmMs: warm.nearMs };
  } finally {
    await Promise.all([near.close(), far.close()]);
  }
}

/** Passes by turns, so that both see the machine in the same mood; the first of each only warms up. */
async function compare(near: () => Promise<number>, far: () => Promise<number>) {
  await near();
  await far();
  const took = { near: [] as number[], far: [] as number[] };
  for (let pass = 0; pass < PASSES; pass++) {
    took.near.push(await near());
    took.far.push(await far());
  }
  const nearMs = Math.min(...took.near);
  return { nearMs, trips: (Math.min(...took.far) - nearMs) / (2 * DELAY_MS) };
}

/** A way to a world's host behind a delay; each call is a pass, timed, that finds nothing to do. */
async function openRoute(world: World, delayMs: number) {
  const { address, port } = world.host;
  const proxy = await startDelayProxy({ target: { address, port }, delayMs });
  const context = benchContext(world);
  const project = await openProject(context);
  const hosts = project.fleet.hosts.map(({ address: host, spec }) => ({
    spec,
    address: { ...host, address: "127.0.0.1", port: proxy.port },
  }));
  const adapters = compose(context, project.fleet.project);
  const pass = async (deps: typeof adapters.deps) => {
    const input = { fleet: { ...project.fleet, hosts }, remote: project.remote } as const;
    const begin = performance.now();
    const [result] = await runFleetPass({ ...input, mode: "plan" }, deps);
    if (result?.kind !== "in-sync") throw new Error(`not a no-op pass: ${JSON.stringify(result)}`);
    return performance.now() - begin;
  };
  const pool = poolSessions(adapters.hosts);
  return {
    cold: () => pass(adapters.deps),
    warm: () => pass({ ...adapters.deps, hosts: pool }),
    async close() {
      await pool.closeAll();
      adapters.close();
      await proxy.close();
    },
  };
}

/** What `al` would be run with, on the machine of a world. */
export function benchContext({ home, bare, options }: World): CliContext {
  return {
    home: join(home, ".action-llama"),
    project: bare,
    output: createOutput(true, { out: process.stdout, err: process.stderr }),
    interactive: false,
    dockerSocket: options.dockerSocket,
    gitVariables: {},
    signal: new AbortController().signal,
    holder: "bench",
    person: "bench",
  };
}
