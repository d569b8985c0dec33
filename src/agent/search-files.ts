import { spawn } from "node:child_process";
import { glob } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AlError } from "../base/errors.ts";

/** What the model may ask of the grep tool. */
export interface GrepRequest {
  readonly pattern: string;
  readonly path?: string | undefined;
  /** Only files whose name matches. */
  readonly glob?: string | undefined;
  readonly ignoreCase?: boolean | undefined;
  /** Takes the pattern as plain text. */
  readonly literal?: boolean | undefined;
  /** Lines to show before and after each match. */
  readonly context?: number | undefined;
  /** Most lines in the answer. */
  readonly limit?: number | undefined;
}

const SKIPPED = ["node_modules", ".git"];
const MAX_OUTPUT = 50_000;

/**
 * Searches file contents with GNU grep: pi's own tool needs ripgrep, which it would download.
 * It is a process of its own, so that no pattern, however bad, stops this program's timers.
 * @throws AlError `grep-failed` with grep's own words.
 */
export async function grepFiles(
  request: GrepRequest,
  cwd: string,
  signal?: AbortSignal,
): Promise<string> {
  const { stdout, stderr, code } = await run(grepArguments(request), cwd, signal);
  if (code === 1 && stdout === "") return "No matches found";
  if (code !== 0 && stdout === "") {
    throw new AlError(stderr.trim() || `grep exited with ${code}`, {
      code: "grep-failed",
      blame: "user",
    });
  }
  const lines = stdout.trimEnd().split("\n");
  const limit = request.limit ?? 100;
  const cut = lines.length > limit || stdout.length >= MAX_OUTPUT;
  return cut ? `${lines.slice(0, limit).join("\n")}\n\n[cut: narrow the search]` : lines.join("\n");
}

/** Files below `directory` whose path matches; a pattern without a slash matches at any depth. */
export async function findFiles(
  pattern: string,
  directory: string,
  options: { readonly limit: number },
): Promise<string[]> {
  const found: string[] = [];
  const anywhere = pattern.includes("/") ? pattern : `**/${pattern}`;
  const exclude = (name: string) => SKIPPED.some((skipped) => name.split("/").includes(skipped));
  for await (const path of glob(anywhere, { cwd: directory, exclude })) {
    found.push(join(directory, path));
    if (found.length >= options.limit) break;
  }
  return found.sort();
}

function grepArguments(request: GrepRequest): string[] {
  return [
    "-rnIs",
    request.literal ? "-F" : "-P",
    ...(request.ignoreCase ? ["-i"] : []),
    ...(request.context ? ["-C", String(request.context)] : []),
    ...(request.glob ? [`--include=${request.glob}`] : []),
    ...SKIPPED.map((name) => `--exclude-dir=${name}`),
    "-e",
    request.pattern,
    "--",
    request.path ?? ".",
  ];
}

function run(
  args: readonly string[],
  cwd: string,
  signal: AbortSignal | undefined,
): Promise<{ stdout: string; stderr: string; code: number | null }> {
  return new Promise((done, fail) => {
    const options = { cwd: resolve(cwd), ...(signal ? { signal } : {}) };
    const child = spawn("grep", args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      if (stdout.length > MAX_OUTPUT) child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      if (stderr.length < MAX_OUTPUT) stderr += chunk;
    });
    child.on("error", fail);
    child.on("close", (code) => done({ stdout: stdout.slice(0, MAX_OUTPUT), stderr, code }));
  });
}
