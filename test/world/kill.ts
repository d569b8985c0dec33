import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { type AlOptions, spawnAl } from "./al.ts";

/** A moment in an apply at which its process is killed. */
export interface KillPoint {
  /** `action-started`, `action-finished` or `confirming`. */
  readonly event: string;
  /** Kind of the step; absent for events that are about none. */
  readonly step?: string;
  /** How long after the event. */
  readonly afterMs: number;
}

/** `inside deliver-image (+40 ms)`. */
export function describeKillPoint({ event, step, afterMs }: KillPoint): string {
  const place = { "action-started": "inside", "action-finished": "after" }[event] ?? event;
  return `${place} ${step ?? ""}`.trim() + (afterMs > 0 ? ` (+${afterMs} ms)` : "");
}

/** Runs `al apply` and kills it with SIGKILL at a point; false when it never got there. */
export async function applyAndKill(
  point: KillPoint,
  bare: string,
  options: AlOptions,
): Promise<boolean> {
  const child = spawnAl(["--json", "-p", bare, "apply"], options);
  child.stdin.end();
  child.stderr.resume();
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as { kind: string; action?: { step: { kind: string } } };
    if (event.kind !== point.event || event.action?.step.kind !== point.step) continue;
    if (point.afterMs > 0) await delay(point.afterMs);
    child.kill("SIGKILL");
    break;
  }
  const [, signal] = await closed;
  return signal === "SIGKILL";
}
