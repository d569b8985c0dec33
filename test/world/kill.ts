import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { type AlOptions, spawnAl } from "./al.ts";

/** A moment in a pass at which the controller's process is killed. */
export interface KillPoint {
  /** `action-started`, `action-finished` or `confirming`. */
  readonly event: string;
  /** Kind of the step; absent for events that are about none. */
  readonly step?: string;
  /** For a kind of step that comes in several phases; any when absent. */
  readonly phase?: string;
  /** How long after the event. */
  readonly afterMs: number;
}

/** `inside deliver-image (+40 ms)`. */
export function describeKillPoint({ event, step, phase, afterMs }: KillPoint): string {
  const place = { "action-started": "inside", "action-finished": "after" }[event] ?? event;
  const what = phase === undefined ? (step ?? "") : `${step} of ${phase}`;
  return `${place} ${what}`.trim() + (afterMs > 0 ? ` (+${afterMs} ms)` : "");
}

/** Runs `al controller` and kills it with SIGKILL at a point; false when its pass never got there. */
export async function controlAndKill(
  point: KillPoint,
  bare: string,
  options: AlOptions,
): Promise<boolean> {
  const child = spawnAl(["--json", "controller", "--source", bare], options);
  child.stdin.end();
  child.stderr.resume();
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as Line;
    if (event.kind === "result") break;
    if (!isAt(event, point)) continue;
    if (point.afterMs > 0) await delay(point.afterMs);
    child.kill("SIGKILL");
    await closed;
    return true;
  }
  child.kill("SIGTERM");
  await closed;
  return false;
}

interface Line {
  readonly kind: string;
  readonly action?: { readonly phase: string; readonly step: { readonly kind: string } };
}

function isAt({ kind, action }: Line, point: KillPoint): boolean {
  const { event, step, phase = action?.phase } = point;
  return kind === event && action?.step.kind === step && action?.phase === phase;
}
