import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { openProject } from "../../src/cli/project.ts";
import { storeDirectory } from "../../src/cli/wake.ts";
import type { Approval } from "../../src/core/approval.ts";
import { openControllerStore } from "../../src/state/controller-store.ts";
import { connectEngine } from "../lab/engine.ts";
import { fingerprintOf } from "../lab/keys.ts";
import { jsonLines, runAl, spawnAl } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import { initWorkingCopy } from "../world/repository.ts";
import { instructions } from "../world/sample-project.ts";
import { orFail, type World } from "../world/world.ts";
import { removeImages } from "./remove-images.ts";
import { benchContext } from "./round-trips.ts";

const PROJECT = "many";
const HOSTS = 50;

/** What `al apply` took to bring that many empty hosts to a commit. */
export interface ManyHosts {
  readonly hosts: number;
  /** Largest resident memory of the process. */
  readonly peakBytes: number;
  /** Processor time per host, user and system. */
  readonly cpuMsPerHost: number;
  readonly ms: number;
}

interface Announced {
  readonly port: number;
  readonly hostKey: string;
}

/** Applies to simulated hosts, which keep and hash what they are sent, in a process of their own. */
export async function measureManyHosts(world: World): Promise<ManyHosts> {
  const directory = await mkdtemp(join(tmpdir(), "al-many-"));
  const layers = await layersOf(world);
  const main = join(import.meta.dirname, "simulated-hosts-main.ts");
  const args = [main, String(HOSTS), directory, PROJECT, ...layers];
  const simulator = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const [line] = (await once(createInterface({ input: simulator.stdout }), "line")) as [string];
    const hosts = JSON.parse(line) as Announced[];
    const bare = join(directory, "fleet.git");
    await writeFleet(world, { bare, directory, hosts });
    await approveAll({ ...world, bare }, hosts);
    return await measure(bare, world);
  } finally {
    simulator.stdin.end();
    if (simulator.exitCode === null) await once(simulator, "close");
    await rm(directory, { recursive: true, force: true });
    await removeImages(world, PROJECT);
  }
}

async function measure(bare: string, world: World): Promise<ManyHosts> {
  const begin = performance.now();
  const child = spawnAl(["-p", bare, "--json", "apply"], world.options);
  child.stdin.end();
  const lines: string[] = [];
  child.stderr.on("data", (bytes: Buffer) => lines.push(bytes.toString()));
  child.stdout.on("data", (bytes: Buffer) => lines.push(bytes.toString()));
  let use: ProcessUse = { peakBytes: 0, cpuMs: 0 };
  const timer = setInterval(() => {
    use = processUse(child.pid) ?? use;
  }, 50);
  const [code] = (await once(child, "close")) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`al ended with ${code}\n${failures(lines.join(""))}`);
  const { peakBytes, cpuMs } = use;
  return { hosts: HOSTS, peakBytes, cpuMsPerHost: cpuMs / HOSTS, ms: performance.now() - begin };
}

/** What went wrong, each in its own words and once. */
function failures(output: string): string {
  const messages = jsonLines(output).flatMap(({ hosts }) =>
    ((hosts ?? []) as { error?: { message: string } }[]).flatMap(
      ({ error }) => error?.message ?? [],
    ),
  );
  return [...new Set(messages)].join("\n") || output.slice(-2000);
}

interface ProcessUse {
  readonly peakBytes: number;
  readonly cpuMs: number;
}

/** Clock ticks are a hundredth of a second on every Linux we know. */
const TICK_MS = 10;

function processUse(pid: number | undefined): ProcessUse | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (peak === undefined) return undefined;
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { peakBytes: Number(peak) * 1024, cpuMs: ticks * TICK_MS };
  } catch {
    return undefined;
  }
}

async function layersOf({ lab }: World): Promise<readonly string[]> {
  const image = connectEngine(lab.engine).getImage(lab.baseImage);
  return (await image.inspect()).RootFS.Layers ?? [];
}

async function writeFleet(
  world: World,
  at: { readonly bare: string; readonly directory: string; readonly hosts: readonly Announced[] },
): Promise<void> {
  orFail(await runAl(["controller", "init-repo", at.bare], world.options));
  const copy = await initWorkingCopy(join(at.directory, "work"), at.bare);
  const hosts = at.hosts.map(
    ({ port }, index) =>
      `[hosts.h${index + 1}]\naddress = "127.0.0.1"\nport = ${port}\nuser = "deploy"\n`,
  );
  const rollout = "[rollout]\nparallelHosts = 50\nconfirmTimeout = 600\n";
  await copy.write(
    "fleet.toml",
    `[project]\nname = "${PROJECT}"\n\n${rollout}\n${hosts.join("\n")}`,
  );
  await copy.write(
    "config.toml",
    `[images]\nbase = "${world.lab.baseImage}"\n\n[model]\nprovider = "anthropic"\nmodel = "claude-scripted"\nbaseUrl = "http://127.0.0.1:9"\n`,
  );
  for (let number = 1; number <= at.hosts.length; number++) {
    await copy.write(`agents/a${number}/agent-config.toml`, `schedule = "0 5 1 1 *"\n`);
    await copy.write(`agents/a${number}/ACTIONS.md`, instructions(`a${number}`));
  }
  await copy.commit("first");
  await copy.push();
  await addCredential(world.home, "anthropic_key/default/token", "sk-not-used");
}

async function approveAll(world: World, hosts: readonly Announced[]): Promise<void> {
  const { fleet, remote } = await openProject(benchContext(world));
  const store = openControllerStore(storeDirectory(join(world.home, ".action-llama"), PROJECT));
  const approve = (approval: Approval) => store.approve(approval, Date.now());
  for (const { address, spec } of fleet.hosts) {
    const { host } = address;
    const announced = hosts.find(({ port }) => port === address.port);
    const fingerprint = fingerprintOf(announced?.hostKey ?? "");
    approve({ kind: "host-key", host, fingerprint, endpoint: `127.0.0.1:${address.port}` });
    for (const { type, instance, agents } of spec.credentials) {
      const credential = `${type}:${instance}`;
      for (const agent of agents) approve({ kind: "grant", credential, agent, host, remote });
    }
  }
  store.close();
}
