import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mustRun } from "../lab/command.ts";
import { environment } from "../lab/environment.ts";
import { checkoutRoot } from "../lab/names.ts";

/** The demonstration as a newcomer sees it. */
export interface FreshDemo {
  /** From `npm run demo` in a clone with nothing installed to its end. */
  readonly seconds: number;
  readonly ok: boolean;
  readonly lastLine: string;
}

/** Clones this checkout's HEAD and runs the demonstration there, `npm ci` included. */
export async function measureFreshDemo(show: (line: string) => void): Promise<FreshDemo> {
  const root = await mkdtemp(join(tmpdir(), "al-fresh-"));
  const clone = join(root, "clone");
  try {
    await mustRun(["git", "clone", "--quiet", "--no-hardlinks", checkoutRoot, clone]);
    const begin = Date.now();
    // The clone is a run of the lab of its own; it must not take itself for a part of this one.
    const { AL_LAB_RUN: _run, ...env } = environment;
    const child = spawn("npm", ["run", "--silent", "demo"], { cwd: clone, env });
    child.stdin.end();
    child.stderr.on("data", (bytes: Buffer) => show(bytes.toString("utf8").trimEnd()));
    const chunks: Buffer[] = [];
    child.stdout.on("data", (bytes: Buffer) => chunks.push(bytes));
    const [code] = (await once(child, "close")) as [number | null];
    const lines = Buffer.concat(chunks).toString("utf8").trimEnd().split("\n");
    if (code !== 0) show(lines.slice(-15).join("\n"));
    return { seconds: (Date.now() - begin) / 1000, ok: code === 0, lastLine: lines.at(-1) ?? "" };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
