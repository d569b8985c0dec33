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

const DELAY_MS = 50;
const PASSES = 7;

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
  const near = await timePasses(world, 0);
  const far = await timePasses(world, DELAY_MS);
  const trips = (slow: number, fast: number) => (slow - fast) / (2 * DELAY_MS);
  return {
    cold: trips(far.coldMs, near.coldMs),
    warm: trips(far.warmMs, near.warmMs),
    coldMs: near.coldMs,
    warmMs: near.warmMs,
  };
}

async function timePasses(world: World, delayMs: number) {
  const { address, port } = world.host;
  const proxy = await startDelayProxy({ target: { address, port }, delayMs });
  const context = contextOf(world);
  const project = await openProject(context);
  const hosts = project.fleet.hosts.map(({ address: host, spec }) => ({
    spec,
    address: { ...host, address: "127.0.0.1", port: proxy.port },
  }));
  const adapters = compose(context, project.fleet.project);
  const pass = async (deps = adapters.deps) => {
    const input = { fleet: { ...project.fleet, hosts }, remote: project.remote } as const;
    const begin = performance.now();
    const [result] = await runFleetPass({ ...input, mode: "plan" }, deps);
    if (result?.kind !== "in-sync") throw new Error(`not a no-op pass: ${JSON.stringify(result)}`);
    return performance.now() - begin;
  };
  const pool = poolSessions(adapters.hosts);
  const pooled = { ...adapters.deps, hosts: pool };
  try {
    await pass();
    const coldMs = Math.min(...(await times(() => pass())));
    await pass(pooled);
    const warmMs = Math.min(...(await times(() => pass(pooled))));
    return { coldMs, warmMs };
  } finally {
    await pool.closeAll();
    adapters.close();
    await proxy.close();
  }
}

function contextOf({ home, bare, options }: World): CliContext {
  return {
    home: join(home, ".action-llama"),
    project: bare,
    output: createOutput(true, { out: process.stdout, err: process.stderr }),
    interactive: false,
    dockerSocket: options.dockerSocket,
    gitVariables: {},
    signal: new AbortController().signal,
    holder: "bench",
  };
}

async function times(work: () => Promise<number>): Promise<number[]> {
  const found: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) found.push(await work());
  return found;
}
