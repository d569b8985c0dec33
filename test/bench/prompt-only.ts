import { startController } from "../world/controller.ts";
import { instructions } from "../world/sample-project.ts";
import type { World } from "../world/world.ts";

/** How long commits of nothing but a prompt take from the end of `git push` to live. */
export interface PromptOnly {
  readonly medianMs: number;
  readonly worstMs: number;
  readonly pushes: number;
  /** Images built or delivered meanwhile. */
  readonly builds: number;
}

/** Pushes changes of one ACTIONS.md to a repository that a controller follows. */
export async function measurePromptOnly(world: World, pushes = 7): Promise<PromptOnly> {
  const controller = startController(world.bare, world.options);
  const isResult = ({ kind }: Record<string, unknown>) => kind === "result";
  try {
    await controller.until("a first look at the host", isResult);
    const took: number[] = [];
    let builds = 0;
    for (let push = 0; push < pushes; push++) {
      await world.copy.write("greeter/ACTIONS.md", instructions(`bench${push}`));
      const revision = await world.copy.commit(`bench ${push}`);
      const from = controller.lines.length;
      const pushed = await world.copy.push();
      const { atMs } = await controller.until(
        "the change to be live",
        (event) =>
          isResult(event) &&
          event.revision === revision &&
          (event.result as { kind: string }).kind === "applied",
        { from },
      );
      took.push(atMs - pushed);
      builds += controller.lines.slice(from).filter(({ event }) => isDelivery(event)).length;
    }
    const sorted = took.sort((a, b) => a - b);
    const medianMs = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    return { medianMs, worstMs: sorted.at(-1) ?? Number.NaN, pushes, builds };
  } finally {
    await controller.stop();
  }
}

function isDelivery({ kind, action }: Record<string, unknown>): boolean {
  const step = (action as { step?: { kind: string } } | undefined)?.step;
  return kind === "action-started" && step?.kind === "deliver-image";
}
