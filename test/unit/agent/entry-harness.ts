import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildProject } from "../../../src/build.ts";
import type { AgentRunConfig } from "../../../src/core/agent-run-config.ts";
import type { ModelScript } from "../../model-server/script.ts";
import { type ModelServer, startModelServer } from "../../model-server/server.ts";

const PROJECT = join(import.meta.dirname, "../../..");

/** The only key the harness's model servers accept. */
export const KEY = "sk-test-0123456789";

/** A line of the log protocol. */
export type LogLine = Record<string, unknown> & { level: string; msg: string; ts: number };

/** What a run left behind. */
export interface RunOutcome {
  readonly code: number | null;
  readonly log: readonly LogLine[];
  readonly plain: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** What to put into the directory that stands for a container's `/`. */
export interface RunFiles {
  readonly config: Omit<Partial<AgentRunConfig>, "model"> & {
    readonly model: Partial<AgentRunConfig["model"]>;
  };
  readonly prompt?: string;
  readonly secret?: string;
  /** `type/instance/field` to value. */
  readonly credentials?: Readonly<Record<string, string>>;
}

/** How to start the entry program. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Called with every log line while the program runs. */
  readonly onLog?: (line: LogLine, child: ChildProcess) => void;
}

/** What follows the server's address in a provider's own. */
const PATHS = {
  anthropic: "",
  openai: "/v1",
  groq: "/openai/v1",
  google: "/v1beta",
  xai: "/v1",
  mistral: "",
  openrouter: "/api/v1",
  custom: "/v1",
} as const;

/** A run's input for an agent whose model is the scripted server, which speaks any provider's way. */
export function inputFor(
  server: ModelServer,
  more: Omit<Partial<RunFiles>, "config"> & { config?: Partial<RunFiles["config"]> } = {},
  { provider = "anthropic", ...model }: Partial<AgentRunConfig["model"]> = {},
): RunFiles {
  const baseUrl = `${server.url}${PATHS[provider]}`;
  return {
    ...more,
    config: { model: { model: "test-model", ...model, provider, baseUrl }, ...more.config },
    credentials: { [`${provider}_key/default/token`]: `${KEY}\n`, ...more.credentials },
  };
}

/** A turn in which the model runs one command. */
export function bash(command: string) {
  return { toolCalls: [{ name: "bash", input: { command } }] };
}

/** The bundled entry program, and directories for it to run in. */
export class EntryHarness {
  readonly #directory: string;
  readonly #servers: ModelServer[] = [];
  #runs = 0;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Takes the program from the build, which is made if it is not of these sources. */
  static async create(): Promise<EntryHarness> {
    const directory = await mkdtemp(join(tmpdir(), "al-entry-"));
    const { dist } = await buildProject();
    await cp(join(dist, "agents"), join(directory, "app"), { recursive: true });
    return new EntryHarness(directory);
  }

  get program(): string {
    return join(this.#directory, "app", "container-entry.js");
  }

  /** A model server that lives as long as this harness. */
  async serve(script: ModelScript): Promise<ModelServer> {
    const server = await startModelServer({ script, expectedKey: KEY });
    this.#servers.push(server);
    return server;
  }

  /** A fresh root directory with a run's input as files. */
  async root(files: RunFiles): Promise<string> {
    this.#runs += 1;
    const root = join(this.#directory, `run-${this.#runs}`);
    await mkdir(join(root, "tmp"), { recursive: true });
    const config = { name: "dev", instructions: "You are a test.", ...files.config };
    await put(join(root, "run/al/config.json"), JSON.stringify(config));
    await put(join(root, "run/al/prompt"), files.prompt ?? "Do your work.");
    if (files.secret) await put(join(root, "run/al/secret"), files.secret);
    for (const [path, value] of Object.entries(files.credentials ?? {})) {
      await put(join(root, "credentials", path), value);
    }
    return root;
  }

  /** Runs the program to its end in `root`, with a clean environment. */
  async run(root: string, options: RunOptions = {}): Promise<RunOutcome> {
    const started = performance.now();
    const args = [this.program, "--root", root, "--retry-base-ms", "20"];
    const child = spawn(process.execPath, args, {
      // biome-ignore lint/style/noProcessEnv: the one variable the program needs from outside
      env: { PATH: `${join(PROJECT, "docker/bin")}:${process.env.PATH}`, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    let seen = 0;
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      const lines = logLines(stdout.slice(0, stdout.lastIndexOf("\n") + 1));
      for (const line of lines.slice(seen)) options.onLog?.(line, child);
      seen = lines.length;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    const plain = stdout.split("\n").filter((line) => line !== "" && !isLog(line));
    return { code, log: logLines(stdout), plain, stdout, stderr, ms: performance.now() - started };
  }

  /** Removes everything. */
  async dispose(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content, { mode: 0o400 });
}

function logLines(stdout: string): LogLine[] {
  return stdout
    .split("\n")
    .filter(isLog)
    .map((line) => JSON.parse(line));
}

function isLog(line: string): boolean {
  return line.startsWith('{"_log":true,');
}
