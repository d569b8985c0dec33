import { counted } from "../../core/counted.ts";
import type { Stopped } from "../../core/stopped.ts";
import { stoppedText } from "./holds.ts";
import { whereFlags } from "./where-flags.ts";

/** What stopping one host came to. */
export interface StopEnd {
  readonly stopped: Stopped;
  /** It was stopped before. */
  readonly already: boolean;
  /** Names of the runs that are under way there and go on. */
  readonly runs: readonly string[];
}

/** The same for a person, with the way back. */
export function stopLines(
  host: string,
  { stopped, already, runs }: StopEnd,
  { dev }: { readonly dev: boolean },
): string[] {
  return [
    already
      ? `${host}: was ${stoppedText(stopped)}`
      : `${host}: stopped, also after a reboot, until: al start ${whereFlags(host, dev)}`,
    ...(runs.length > 0 ? [`  ${goesOn(runs)}`, ...runs.map((run) => `    ${run}`)] : []),
  ];
}

function goesOn(runs: readonly string[]): string {
  const those = runs.length === 1 ? "goes on and ends by itself" : "go on and end by themselves";
  return `${counted(runs.length, "run")} ${those}; the end and the whole log are recorded at the next start:`;
}
