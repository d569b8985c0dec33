import { setTimeout as delay } from "node:timers/promises";
import { askGateway, type GatewayPlace } from "./gateway-client.ts";
import { type CommandResult, resultOf, TIMED_OUT } from "./gateway-result.ts";

const FIRST_POLL_MS = 250;
const LONGEST_POLL_MS = 5000;

/**
 * Waits until all calls have ended, asking less and less often. The answer has each call under its id.
 * A call that is not the run's own ends the waiting for that call only, and decides the exit status.
 */
export async function waitForCalls(
  gateway: GatewayPlace,
  { ids, timeoutMs }: { readonly ids: readonly string[]; readonly timeoutMs: number },
): Promise<CommandResult> {
  const deadline = performance.now() + timeoutMs;
  const seen = new Map<string, unknown>();
  const open = new Set(ids);
  let exitStatus = 0;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, LONGEST_POLL_MS)) {
    for (const id of open) {
      const leftMs = Math.max(0, deadline - performance.now());
      const path = `/calls/${encodeURIComponent(id)}`;
      const atMost = leftMs < gateway.patienceMs ? { atMostMs: leftMs } : {};
      const answer = await askGateway(gateway, { path, ...atMost });
      const result = resultOf(answer);
      if (answer.status !== 200 && answer.status !== 404) return result;
      seen.set(id, answer.body);
      if (isUnderWay(answer.body)) continue;
      exitStatus ||= result.exitStatus;
      open.delete(id);
    }
    const answer = Object.fromEntries(seen);
    if (open.size === 0) return { exitStatus, answer };
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return { exitStatus: TIMED_OUT, answer };
    await delay(Math.min(pollMs, leftMs));
  }
}

function isUnderWay(call: unknown): boolean {
  const { status } = (call ?? {}) as { status?: unknown };
  return status === "pending" || status === "running";
}
