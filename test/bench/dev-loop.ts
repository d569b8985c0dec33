import { startDev } from "../world/controller.ts";
import { addCredential } from "../world/home.ts";
import { createLocalWorld } from "../world/local-world.ts";
import { instructions, writeLocalSample } from "../world/sample-project.ts";

/** How long a saved ACTIONS.md takes until it is live under `al dev`. */
export interface DevLoop {
  /** From the end of the save to the runtime's own word, seen from outside, that it has the new release. */
  readonly medianMs: number;
  readonly worstMs: number;
  readonly saves: number;
}

type Event = Record<string, unknown>;

/** Saves one ACTIONS.md again and again in a working tree that `al dev` runs on this machine's engine. */
export async function measureDevLoop(
  say: (line: string) => void,
  { saves = 9 }: { readonly saves?: number } = {},
): Promise<DevLoop> {
  const world = await createLocalWorld(say);
  try {
    const project = await world.checkout("al-bench-dev");
    const { baseImage } = world.lab;
    await writeLocalSample(project, { baseImage, baseUrl: "http://127.0.0.1:9", word: "first" });
    await addCredential(world.home, "anthropic_key/default/token", "sk-not-used");
    const dev = startDev(project.directory, world.options);
    try {
      await dev.until("the working tree to be live", isApplied);
      const took: number[] = [];
      for (let save = 0; save < saves; save++) {
        const from = dev.lines.length;
        await project.write("greeter/ACTIONS.md", instructions(`save${save}`));
        const saved = Date.now();
        const { atMs } = await dev.until("the runtime to have it", isConfirmed, { from });
        took.push(atMs - saved);
        await dev.until("the pass to end", isApplied, { from });
      }
      const sorted = took.sort((a, b) => a - b);
      const medianMs = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
      return { medianMs, worstMs: sorted.at(-1) ?? Number.NaN, saves };
    } finally {
      await dev.stop();
    }
  } finally {
    await world.remove();
  }
}

function isApplied({ kind, result }: Event): boolean {
  return kind === "result" && (result as { kind: string }).kind === "applied";
}

/** The first step that follows a successful confirmation. */
function isConfirmed({ kind, action }: Event): boolean {
  return kind === "action-started" && (action as { phase: string }).phase === "retire";
}
