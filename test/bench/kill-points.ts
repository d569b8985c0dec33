import { DatabaseSync } from "node:sqlite";
import type { OnTheWire } from "./kill-load.ts";
import type { RuntimeBench } from "./runtime-process.ts";

interface RunLine {
  readonly id: string;
  readonly state: string;
}

/** Where a kill fell: one sentence for each thing that was under way, each once. */
export function killPoints(
  bench: RuntimeBench,
  { wire, wasReady }: { readonly wire: OnTheWire; readonly wasReady: boolean },
): Set<string> {
  const points = new Set<string>(wasReady ? [] : ["while the runtime was starting"]);
  const database = new DatabaseSync(bench.statePath, { readOnly: true });
  try {
    const has = (sql: string, value: string) => database.prepare(sql).get(value) !== undefined;
    const isStored = (name: string) =>
      has("SELECT 1 FROM webhook_receipts WHERE delivery_id = ?", name);
    for (const name of wire.deliveries) {
      points.add(isStored(name) ? "delivery: stored, not answered" : "delivery: sent, not stored");
    }
    for (const name of wire.calls) {
      const stored = has("SELECT 1 FROM runs WHERE key LIKE 'call/%/' || ?", name);
      points.add(stored ? "call: stored, not answered" : "call: sent, not stored");
    }
    if (wire.triggers > 0) points.add("trigger by hand: sent, not answered");
    const lines = database.prepare("SELECT id, state FROM runs").all() as unknown as RunLine[];
    for (const line of lines) {
      const point = pointOf(line, bench);
      if (point !== undefined) points.add(`run: ${point}`);
    }
  } finally {
    database.close();
  }
  return points;
}

function pointOf({ id, state }: RunLine, { engine }: RuntimeBench): string | undefined {
  const stage = engine.stageOf(id);
  if (state === "queued") return "accepted, waiting";
  if (state === "finished") return stage && "end stored, containers not removed";
  if (state === "running") return stage === "running" ? "running" : "ended, end not stored";
  if (stage === undefined) return "intent stored, nothing made";
  if (stage === "carrier") return "its files are put in";
  return stage === "created" ? "container made, not started" : "container started, not recorded";
}
