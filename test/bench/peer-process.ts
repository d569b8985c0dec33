import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs `work` with the port of a fresh bare server, in a process of its own, and its process id. */
export async function withBarePeer<T>(work: (port: number, pid: number) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "al-bench-peer-"));
  const program = join(import.meta.dirname, "bare-peer.ts");
  const argv = ["--no-warnings", program, directory];
  const peer = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [port] = await once(peer.stdout, "data");
    return await work(Number(port), peer.pid ?? 0);
  } finally {
    peer.kill("SIGKILL");
    await rm(directory, { recursive: true, force: true });
  }
}
