import { counted } from "../../core/counted.ts";
import type { RunAnswer } from "../../gateway/control-schema.ts";
import { runningText } from "./runs.ts";

/** What a drain waits for on one host. */
export interface Draining {
  readonly host: string;
  /** Active ones. */
  readonly runs: readonly RunAnswer[];
  readonly queue: readonly { readonly run: RunAnswer }[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The same for a person; `key` is another whenever there is something new to say. */
export function drainText({ host, runs, queue, now }: Draining): {
  readonly key: string;
  readonly lines: readonly string[];
} {
  const called = queue.filter(({ run }) => run.trigger === "call");
  const key = `${runs.map(({ id }) => id).join()} ${called.length}`;
  const waiting =
    queue.length === 0
      ? ""
      : `; ${counted(queue.length, "run")} in the queue ${queue.length === 1 ? "stays" : "stay"} there`;
  return {
    key,
    lines: [
      `${host}: paused; waiting for ${counted(runs.length, "run")} to end${waiting}`,
      ...runs.map((run) => `  ${runningText(run, now)}`),
      ...called.map(
        ({ run }) =>
          `  called by agent ${run.caller ?? ""}, and held back: run ${run.id} of ${run.agent}`,
      ),
    ],
  };
}
