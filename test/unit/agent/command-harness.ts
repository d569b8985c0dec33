import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { buildProject } from "../../../src/build.ts";
import { environment } from "../../lab/environment.ts";

const PROJECT = join(import.meta.dirname, "../../..");

/** What a command did. */
export interface Outcome {
  readonly code: number | null;
  /** Its output, which must be one JSON value. */
  readonly answer: unknown;
  readonly stderr: string;
  readonly ms: number;
}

/** How to start a command. */
export interface CommandOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  /** The shell to run it with, instead of the one its first line names. */
  readonly shell?: readonly string[];
}

/** The commands of docker/bin with the program they call, and a signal directory of their own. */
export class CommandHarness {
  readonly directory: string;
  readonly signals: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.signals = join(directory, "signals");
  }

  /** Takes the program from the build, which is made if it is not of these sources. */
  static async create(): Promise<CommandHarness> {
    const directory = await mkdtemp(join(tmpdir(), "al-commands-"));
    const { dist } = await buildProject();
    await cp(join(dist, "agents"), join(directory, "dist/agents"), { recursive: true });
    await cp(join(PROJECT, "docker/bin"), join(directory, "docker/bin"), { recursive: true });
    return new CommandHarness(directory);
  }

  /** Runs a command to its end. */
  async run(
    name: string,
    args: readonly string[] = [],
    { input = "", env = {}, shell = [] }: CommandOptions = {},
  ): Promise<Outcome> {
    const started = performance.now();
    const argv = [...shell, join(this.directory, "docker/bin", name), ...args];
    const node = join(PROJECT, "node_modules", ".bin");
    const child = spawn(argv[0] ?? "", argv.slice(1), {
      env: {
        PATH: `${node}${delimiter}${environment.PATH}`,
        ...{ AL_SIGNAL_DIR: this.signals, AL_GATEWAY_PATIENCE_SECONDS: "0" },
        ...env,
      },
    });
    child.stdin.on("error", () => undefined).end(input);
    const [stdout, stderr, code] = await Promise.all([
      ...[text(child.stdout), text(child.stderr)],
      new Promise<number | null>((resolve) => child.on("close", resolve)),
    ] as const);
    return { code, answer: JSON.parse(stdout), stderr, ms: performance.now() - started };
  }

  async dispose(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
