import type { CliContext } from "../context.ts";
import { lockTable } from "../render/locks.ts";
import { locksOf } from "../steering.ts";
import { answered, askRuntimes, type RuntimeSelection, reportFailures } from "./each-runtime.ts";

/** `al locks`: what runs have locked on each host. */
export async function locks(context: CliContext, selection: RuntimeSelection): Promise<number> {
  const { output, signal } = context;
  const answers = await askRuntimes(context, selection, (live) => locksOf(live, signal));
  const held = answered(answers).flatMap(({ host, answer }) =>
    answer.map((lock) => ({ host, ...lock })),
  );
  for (const lock of held) output.record({ kind: "lock", ...lock });
  for (const line of lockTable(held)) output.line(line);
  return reportFailures(context, answers);
}
