import { readFileSync } from "node:fs";

/** Memory of a process as the kernel counts it, in bytes: resident now, or at most so far. */
export function memoryOf(pid: number, what: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024;
}

/** Clock ticks are a hundredth of a second on every Linux we know. */
const TICK_MS = 10;

/** Processor time that a process has taken so far, user and system, in ms. */
export function processorMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
