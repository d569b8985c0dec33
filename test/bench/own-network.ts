import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { environment } from "../lab/environment.ts";

/**
 * Runs a program of this directory in a network of its own, with nothing but a loopback, so that fixed
 * ports are free; returns the JSON it prints. It needs root, as the lab does.
 */
export async function inOwnNetwork<T>(program: string, args: readonly string[] = []): Promise<T> {
  // Each delivery comes over a connection of its own, and a port rests for a minute after it.
  const ports = "echo 10000 65535 > /proc/sys/net/ipv4/ip_local_port_range";
  const script = `ip link set lo up && ${ports} && exec "$@"`;
  const node = [process.execPath, "--no-warnings", program, ...args];
  const argv = ["--net", "sh", "-c", script, "bench", ...node];
  const child = spawn("unshare", argv, { stdio: ["ignore", "pipe", "inherit"], env: environment });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
  return JSON.parse(printed) as T;
}
