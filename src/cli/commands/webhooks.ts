import { ulid } from "ulid";
import { AlError, hasCode } from "../../base/errors.ts";
import { ReceiptsAnswer, ReplayAnswer } from "../../gateway/receipt-schema.ts";
import type { CliContext } from "../context.ts";
import { ask, type ControlClient } from "../control-client.ts";
import { EXIT } from "../exit.ts";
import { receiptTable, replayLines } from "../render/webhooks.ts";
import { answered, askRuntimes, type RuntimeSelection, reportFailures } from "./each-runtime.ts";
import type { LiveRuntime } from "./live-runtime.ts";

/** Whose receipts a command is about. */
type Selection = Omit<RuntimeSelection, "agent">;

/** `al webhook ls`: deliveries that were let in, the newest first; at most so many of each host. */
export async function webhookLs(
  context: CliContext,
  { lines, ...selection }: Selection & { readonly lines: number },
): Promise<number> {
  const { output, signal } = context;
  const query = { limit: String(lines) };
  const answers = await askRuntimes(context, selection, async (live) => {
    const get = (api: ControlClient) => api.control.webhooks.$get({ query });
    return (await ask(live, ReceiptsAnswer, get, { signal })).receipts;
  });
  const found = answered(answers).flatMap(({ host, answer }) =>
    answer.map((receipt) => ({ host, receipt })),
  );
  // Ids sort by the time of receipt.
  const newest = found.sort((a, b) => (a.receipt.id < b.receipt.id ? 1 : -1)).slice(0, lines);
  for (const { host, receipt } of newest) output.record({ kind: "receipt", host, ...receipt });
  for (const line of receiptTable(newest)) output.line(line);
  return reportFailures(context, answers);
}

/**
 * `al webhook replay RECEIPT`: has the host that stored a delivery accept it again, read and filtered by
 * what is live there now.
 * @throws AlError `unknown-receipt` (user).
 */
export async function webhookReplay(
  context: CliContext,
  id: string,
  selection: Selection,
): Promise<number> {
  const { output, signal } = context;
  const request = ulid();
  const answers = await askRuntimes(context, selection, (live) =>
    replay(live, { id, request }, signal),
  );
  for (const { host, answer } of answered(answers)) {
    if (!answer) continue;
    output.record({ kind: "replayed", host, receipt: id, ...answer });
    for (const line of replayLines(answer)) output.line(line);
    return answer.runs.length > 0 || answer.refused.length === 0 ? EXIT.done : EXIT.error;
  }
  if (answers.some(({ kind }) => kind === "failed")) return reportFailures(context, answers);
  throw unknownReceipt(id);
}

/** Undefined where the host has no such receipt. */
async function replay(
  live: LiveRuntime,
  { id, request }: { readonly id: string; readonly request: string },
  signal: AbortSignal,
): Promise<ReplayAnswer | undefined> {
  const asked = { param: { receipt: id }, query: { request } };
  try {
    const post = (api: ControlClient) => api.control.webhooks[":receipt"].replay.$post(asked);
    return await ask(live, ReplayAnswer, post, { signal });
  } catch (thrown) {
    if (hasCode(thrown, "unknown-receipt")) return undefined;
    throw thrown;
  }
}

function unknownReceipt(id: string): AlError {
  return new AlError(`no host has a receipt ${id}, or its body is not kept any more`, {
    code: "unknown-receipt",
    blame: "user",
    hint: "List what there is: al webhook ls",
  });
}
