import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { environment } from "../lab/environment.ts";
import { checkoutRoot } from "../lab/names.ts";

/** How `al` is run: as a user runs it, from the build, with a home of its own. */
export interface AlOptions {
  readonly home: string;
  readonly dockerSocket: string;
  /** The package it is run from; this checkout when absent. */
  readonly root?: string;
  /** More of its environment. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What it finds on standard input; nothing when absent. */
  readonly stdin?: string | undefined;
  /** Shows every line of standard output and error as it comes. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** How a finished `al` ended. */
export interface AlResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment that `al` is run in. */
export function alEnvironment({ home, dockerSocket, variables }: AlOptions) {
  const { PATH = "" } = environment;
  return { PATH, HOME: home, DOCKER_HOST: `unix://${dockerSocket}`, ...variables };
}

/** Starts `al` with these arguments. */
export function spawnAl(
  args: readonly string[],
  options: AlOptions,
): ChildProcessWithoutNullStreams {
  const { root = checkoutRoot } = options;
  const env = { ...alEnvironment(options), LC_ALL: "C.UTF-8" };
  return spawn(process.execPath, [join(root, "dist/al.js"), ...args], { env });
}

/** Runs `al` to its end. */
export async function runAl(args: readonly string[], options: AlOptions): Promise<AlResult> {
  const child = spawnAl(args, options);
  child.stdin.end(options.stdin);
  const collect = async (stream: NodeJS.ReadableStream) => {
    const lines: string[] = [];
    for await (const line of createInterface({ input: stream })) {
      lines.push(line);
      options.onLine?.(line);
    }
    return lines.join("\n");
  };
  const ended = once(child, "close") as Promise<[number | null]>;
  const [stdout, stderr] = await Promise.all([collect(child.stdout), collect(child.stderr)]);
  return { code: (await ended)[0], stdout, stderr };
}

/** The JSON objects of an output, one a line. */
export function jsonLines(output: string): Record<string, unknown>[] {
  return output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
