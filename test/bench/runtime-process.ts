import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import type { Json } from "../../src/base/canonical-json.ts";
import { CONTROL_SOCKET } from "../../src/core/names.ts";
import { networkIn } from "../../src/core/subnet.ts";
import { environment } from "../lab/environment.ts";
import { checkoutRoot } from "../lab/names.ts";
import { RunEngine, type RunEngineOptions } from "./run-engine.ts";

/** The secret that deliveries to the benched runtime are signed with. */
export const WEBHOOK_SECRET = "bench-webhook-secret";

const PROJECT = "bench";
const RUNTIME = "al-bench-runtime";
const DOOR = "al-bench-door";
const READY_MS = 30_000;

/** An agent of the benched runtime, beyond what all have. */
export interface BenchAgent {
  readonly name: string;
  readonly scale?: number;
  readonly schedule?: string;
  readonly timezone?: string;
  /** The label of issues it is for. */
  readonly label?: string;
}

/** Options of {@link openRuntimeBench}. */
export interface RuntimeBenchOptions {
  readonly agents: readonly BenchAgent[];
  readonly engine: Pick<RunEngineOptions, "runMs" | "callMs">;
}

/**
 * A project on the disk, an engine, and the runtime's own bundle as a process that can be killed and
 * started again. It must be opened inside of {@link inOwnNetwork}: the runtime's ports are fixed.
 */
export type RuntimeBench = Awaited<ReturnType<typeof openRuntimeBench>>;

/** What the control API answers. */
export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Opens one; nothing runs before `start`. */
export async function openRuntimeBench({ agents, engine }: RuntimeBenchOptions) {
  const directory = await mkdtemp(join(tmpdir(), "al-bench-"));
  const projectDir = join(directory, "project");
  await writeProject(projectDir, agents);
  const socketPath = join(directory, "docker.sock");
  const startsPath = join(directory, "starts");
  const runs = { socketPath, startsPath, runtimeName: RUNTIME, ...engine };
  const place = { directory, projectDir, socketPath };
  // It stands all the time, as on a host.
  const door = spawnContained(place, ["/app/dist/door/door.mjs"]);
  const running = {
    engine: await RunEngine.start(runs),
    process: undefined as Running | undefined,
  };
  const image = await imageOf();
  const control = (method: string, path: string, body?: Json) =>
    askControl(socketOf(running.process), { method, path, body });
  return {
    ...{ directory, projectDir, startsPath, engine: running.engine },
    statePath: join(projectDir, "state.db"),
    pid: () => running.process?.pid ?? 0,
    /** The runtime's process and, where there is one, the door's. */
    pids: () => [running.process, door].flatMap((each) => (each ? [each.pid] : [])),
    control,
    /** Starts the runtime's process. */
    spawn(): void {
      const argv = [...image.args, "/app/dist/runtime/main.js"];
      running.process = spawnContained(place, argv, image.env);
    },
    /** Resolves when the runtime takes triggers and may start runs. */
    async untilReady(): Promise<void> {
      if (running.process) await untilReady(running.process, control, join(directory, "log"));
    },
    /** Both. */
    async start(): Promise<void> {
      this.spawn();
      await this.untilReady();
    },
    /** Ends it by a signal; resolves when it is gone. */
    kill: (signal: NodeJS.Signals = "SIGKILL") => end(running.process, signal),
    async close(): Promise<void> {
      await this.kill();
      await end(door, "SIGKILL");
      running.engine.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
}

/**
 * What a container of ours is, as far as its process can see it: a root of its own with what the image
 * has, and the project's directory, the engine's socket and an empty `/tmp` where they lie there.
 */
const CONTAINER = `
set -eu
mount -t tmpfs tmpfs /mnt
cd /mnt
for each in bin lib lib64 usr etc proc dev; do
  if [ -L "/$each" ]; then cp -P "/$each" "$each"
  elif [ -d "/$each" ]; then mkdir "$each" && mount --rbind "/$each" "$each"
  fi
done
mkdir -p tmp app/dist project door var/run "$2/door"
touch node var/run/docker.sock
mount --bind "$1" app/dist
mount --bind "$2" project
mount --bind "$2/door" door
mount --bind "$3" var/run/docker.sock
mount --bind "$4" node
shift 4
exec chroot /mnt /node "$@"
`;

interface Place {
  readonly directory: string;
  readonly projectDir: string;
  readonly socketPath: string;
}

/** Runs a program of `dist` as its container would; what it prints goes to the log. */
function spawnContained(
  { directory, projectDir, socketPath }: Place,
  argv: readonly string[],
  more: Readonly<Record<string, string>> = {},
) {
  const log = openSync(join(directory, "log"), "a");
  const places = [join(checkoutRoot, "dist"), projectDir, socketPath, process.execPath];
  const all = ["--mount", "sh", "-c", CONTAINER, "bench", ...places, ...argv];
  const { PATH = "" } = environment;
  const env = { PATH, AL_PROJECT_DIR: "/project", AL_RUNTIME_NAME: RUNTIME, ...more };
  const child = spawn("unshare", all, { stdio: ["ignore", log, log], env });
  closeSync(log);
  return { child, pid: child.pid ?? 0 };
}

/** The socket that lies in the process's own `/tmp`. */
function socketOf(running: Running | undefined): string {
  if (!running) throw new Error("the runtime has not been started");
  return `/proc/${running.pid}/root${CONTROL_SOCKET}`;
}

async function end(running: Running | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!running || running.child.exitCode !== null || running.child.signalCode !== null) return;
  const gone = once(running.child, "exit");
  running.child.kill(signal);
  await gone;
}

/** What the image gives Node.js beside the program, and its environment. */
async function imageOf(): Promise<{ args: readonly string[]; env: Record<string, string> }> {
  const dockerfile = await readFile(join(checkoutRoot, "docker/runtime.Dockerfile"), "utf8");
  const entrypoint = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1] ?? "[]";
  const env = [...dockerfile.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name, value]) => [
    name,
    value,
  ]);
  return {
    args: (JSON.parse(entrypoint) as string[]).filter((word) => word.startsWith("--")),
    env: Object.fromEntries(env),
  };
}

async function untilReady(
  { child }: Running,
  control: (method: string, path: string) => Promise<ControlAnswer>,
  logPath: string,
): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (child.exitCode === null && performance.now() < deadline) {
    const answer = await control("GET", "/control/status").catch(() => undefined);
    if ((answer?.body as { report?: { ready: boolean } } | undefined)?.report?.ready) return;
    await delay(10);
  }
  throw new Error(`the runtime is not ready\n${(await readFile(logPath, "utf8")).slice(-3000)}`);
}

function askControl(
  socketPath: string,
  { method, path, body }: { method: string; path: string; body: Json | undefined },
): Promise<ControlAnswer> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, method, path }, (response) => {
      json(response).then(
        (answer) => resolve({ status: response.statusCode ?? 0, body: answer }),
        reject,
      );
    });
    asking.on("error", reject);
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function writeProject(projectDir: string, agents: readonly BenchAgent[]): Promise<void> {
  const release = sha256("release");
  const credentials = sha256("credentials");
  const source = { type: "github", credential: ["bench"], allowUnsigned: false };
  const names = agents.map(({ name }) => name).sort();
  const files: Readonly<Record<string, Json>> = {
    [`releases/${release}/project.json`]: {
      ...{ project: PROJECT, maxReruns: 0, workQueueSize: 1_000_000, maxCallDepth: 3 },
      ...{ baseImage: "al-bench/base:1", agents: names },
      webhooks: { acme: { ...source, rateLimit: 1e9 } },
    },
    ...Object.fromEntries(
      agents.map((agent) => [`releases/${release}/agents/${agent.name}/agent.json`, made(agent)]),
    ),
    [`credentials/${credentials}/github_webhook_secret/bench/secret`]: WEBHOOK_SECRET,
    "current.json": {
      ...{ project: PROJECT, host: "one", revision: "bench", release, credentials },
      ...{ runtime: RUNTIME, door: DOOR, network: { ...networkIn(PROJECT, "10.213.7.0/24") } },
    },
  };
  for (const [path, content] of Object.entries(files)) await write(join(projectDir, path), content);
  for (const name of names) {
    const path = `releases/${release}/agents/${name}/ACTIONS.md`;
    await write(join(projectDir, path), "Look at the issue, and say what you think of it.\n");
  }
}

function made({ name, scale = 1, schedule, timezone, label }: BenchAgent): Json {
  return {
    ...{ name, image: "al-bench/agent:1", credentials: [], scale, timeoutSeconds: 7200 },
    ...{ model: { provider: "anthropic", model: "m" }, memoryBytes: 2 ** 29, cpus: 1, params: {} },
    ...(schedule !== undefined && { schedule }),
    ...(timezone !== undefined && { timezone }),
    ...(label !== undefined && {
      webhooks: [{ source: "acme", filter: { events: ["issues"], labels: [label] } }],
    }),
  };
}

async function write(path: string, content: Json): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
