import { join } from "node:path";
import { inOwnNetwork } from "./own-network.ts";

/** What became of everything a runtime accepted while it was killed again and again. */
export interface Kills {
  readonly kills: number;
  readonly seed: number;
  /** What was promised: deliveries answered with 200, triggers by hand and calls with an id. */
  readonly promised: {
    readonly deliveries: number;
    readonly triggers: number;
    readonly calls: number;
  };
  /** Runs in the store, those of schedules included. */
  readonly runs: number;
  /** Promises and stored runs without a start of their container. */
  readonly lost: readonly string[];
  /** What was started more than once, and what one delivery or call started more than one run of. */
  readonly twice: readonly string[];
  /** Answers that nobody should have got, and starts of runs that no store knows. */
  readonly strange: readonly string[];
  /** Where kills fell: at how many of them this was under way. */
  readonly points: Readonly<Record<string, number>>;
}

/** Kills the runtime so often by SIGKILL at random moments under load. The same seed draws the same moments. */
export function measureKills({ kills = 200, seed = 1 } = {}): Promise<Kills> {
  return inOwnNetwork(join(import.meta.dirname, "kills-process.ts"), [`${kills}`, `${seed}`]);
}
