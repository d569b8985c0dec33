import { setTimeout as delay } from "node:timers/promises";
import { LABELS } from "../../src/core/names.ts";
import { type RunRig, untilGone, withRunRig } from "./run-rig.ts";

/** What is there on a host more than before, after many short runs. */
export interface RunLeaks {
  readonly runs: number;
  readonly containers: number;
  readonly volumes: number;
  readonly networks: number;
  /** In the project's directory, but for one log of each run. */
  readonly files: number;
  /** Open files of the runtime. */
  readonly descriptors: number;
  /** Memory of the runtime's process, in MB. */
  readonly memoryMb: number;
}

type Counts = Omit<RunLeaks, "runs">;

/** Before these the runtime has not yet loaded and allotted all that it needs. */
const WARM_UP_RUNS = 20;
const SETTLE_MS = 3000;

/** Runs one agent again and again, one run after the other. */
export async function measureRunLeaks({ runs = 50 } = {}): Promise<RunLeaks> {
  return withRunRig("bench-run-leaks", async (rig) => {
    await runMany(rig, WARM_UP_RUNS);
    const before = await counts(rig);
    await runMany(rig, runs);
    const after = await counts(rig);
    const more = (name: keyof Counts) => after[name] - before[name];
    return {
      ...{ runs, containers: more("containers"), volumes: more("volumes") },
      ...{ networks: more("networks"), files: more("files") - runs },
      ...{ descriptors: more("descriptors"), memoryMb: more("memoryMb") },
    };
  });
}

async function runMany(rig: RunRig, runs: number): Promise<void> {
  for (let n = 0; n < runs; n++) {
    const run = await rig.client.trigger("dev");
    const end = (await rig.client.follow("dev", run)).at(-1);
    if (end?.kind !== "end" || end.run.outcome !== "completed")
      throw new Error(`run ${run} failed`);
    await untilGone(rig, run);
  }
}

async function counts({ host, runtime }: RunRig): Promise<Counts> {
  await delay(SETTLE_MS);
  const { docker, projectDir } = host;
  const labels = { [LABELS.project]: "e2e" };
  const count = async (argv: string[]) => {
    const { code, stdout, stderr } = await host.transport.exec(argv);
    if (code !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
    return Number(stdout.toString().trim());
  };
  const inRuntime = (script: string) => count(["docker", "exec", runtime, "sh", "-c", script]);
  return {
    containers: (await docker.listContainers(labels)).length,
    volumes: await count(["sh", "-c", "docker volume ls -q | wc -l"]),
    networks: await count(["sh", "-c", "docker network ls -q | wc -l"]),
    files: await count(["sh", "-c", 'find "$1" -type f | wc -l', "sh", projectDir]),
    descriptors: await inRuntime("ls /proc/1/fd | wc -l"),
    memoryMb:
      (await inRuntime("sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/1/status")) / 1024,
  };
}
