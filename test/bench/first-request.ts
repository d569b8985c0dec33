import { setTimeout as delay } from "node:timers/promises";
import { sha256 } from "../../src/core/fingerprint.ts";
import { type RunRig, untilGone, withRunRig } from "./run-rig.ts";

/** From a trigger to the run's first request to its model, and the least a container can do. Medians, in ms. */
export interface FirstRequest {
  readonly oursMs: number;
  /** `docker run` of `node -e 0` with the flags of a run, from its start to its end. */
  readonly peerMs: number;
  readonly runs: number;
}

const LONGEST_MS = 60_000;

/** Takes both in turn on one host, so that both meet the same load. */
export async function measureFirstRequest({ runs = 9 } = {}): Promise<FirstRequest> {
  return withRunRig("bench-first-request", async (rig) => {
    const ours: number[] = [];
    const peer: number[] = [];
    // The first of each reads everything from the disk.
    for (let run = 0; run <= runs; run++) {
      ours.push(await untilFirstRequest(rig));
      peer.push(await plainRun(rig, run));
    }
    return { oursMs: median(ours.slice(1)), peerMs: median(peer.slice(1)), runs };
  });
}

async function untilFirstRequest(rig: RunRig): Promise<number> {
  const { client, model } = rig;
  const before = model.requests.length;
  const started = performance.now();
  const run = await client.trigger("dev");
  while (model.requests.length === before) {
    if (performance.now() - started > LONGEST_MS) throw new Error(`run ${run} asked no model`);
    await delay(1);
  }
  const took = performance.now() - started;
  await client.follow("dev", run);
  await untilGone(rig, run);
  return took;
}

async function plainRun({ host }: RunRig, run: number): Promise<number> {
  const volumes = ["credentials", "input"].map((name) => `al-bench-${name}-${run}`);
  const argv = ["docker", "run", "--rm", ...flags(volumes), host.images.agent, "-e", "0"];
  const started = performance.now();
  const { code, stderr } = await host.transport.exec(argv);
  const took = performance.now() - started;
  if (code !== 0) throw new Error(`docker run failed: ${stderr}`);
  await host.transport.exec(["docker", "volume", "rm", ...volumes]);
  return took;
}

/** The flags that a run's container is made with. */
function flags([credentials, input]: readonly string[]): string[] {
  const memory = ["--memory=512m", "--cpus=1", "--pids-limit=512"];
  const confined = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"];
  const mounts = [`--volume=${credentials}:/credentials:ro`, `--volume=${input}:/run/al:ro`];
  return [
    ...["--user=1000:1000", "--network=al-e2e", "--tmpfs=/tmp:exec,size=2g,mode=1777"],
    ...[...memory, ...confined, ...mounts, "--env=GATEWAY_URL=http://10.213.77.1:7070"],
    ...[`--label=bench=${sha256("bench")}`, "--entrypoint=node"],
  ];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
