import { setTimeout as delay } from "node:timers/promises";
import { LABELS } from "../../src/core/names.ts";
import { type RunClient, runClient } from "../e2e/run-client.ts";
import { type RuntimeHost, startRuntimeHost } from "../e2e/runtime-host.ts";
import { type ModelServer, startModelServer } from "../model-server/server.ts";

const LONGEST_MS = 30_000;

/** A host with a live runtime, one agent called dev, and a model that says nothing but "done". */
export interface RunRig {
  readonly host: RuntimeHost;
  readonly model: ModelServer;
  readonly client: RunClient;
  /** Name of the runtime's container. */
  readonly runtime: string;
}

/** Waits until nothing of a run is left on the engine. */
export async function untilGone({ host }: RunRig, run: string): Promise<void> {
  const labels = { [LABELS.run]: run };
  const deadline = performance.now() + LONGEST_MS;
  for (;;) {
    const left = [
      ...(await host.docker.listContainers(labels)),
      ...(await host.docker.listVolumes(labels)),
    ];
    if (left.length === 0) return;
    if (performance.now() > deadline) throw new Error(`something of run ${run} is left`);
    await delay(50);
  }
}

/** Runs `work` with such a host, and removes it. */
export async function withRunRig<T>(name: string, work: (rig: RunRig) => Promise<T>): Promise<T> {
  const host = await startRuntimeHost(name);
  const script = [{ turns: [{ text: "done" }] }];
  const { gatewayAddress } = host.host;
  const model = await startModelServer({ host: gatewayAddress, script });
  try {
    const spoken = { provider: "anthropic", model: "m", baseUrl: model.url };
    const agents = [
      { agent: { name: "dev", model: spoken }, instructions: "Say that it is done." },
    ];
    const runtime = await host.deploy(await host.prepare(agents, "bench"), "first");
    await host.untilReady(runtime);
    return await work({ host, model, client: runClient(host, runtime), runtime });
  } finally {
    await model.close();
    await host.close();
  }
}
