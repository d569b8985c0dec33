import { counted } from "../../core/counted.ts";
import { shortHash } from "../../core/names.ts";
import type { HoldAnswer } from "../../gateway/control-schema.ts";
import { heldText } from "./holds.ts";
import { whereFlags } from "./where-flags.ts";

/** What starting one host came to. */
export interface StartEnd {
  readonly revision: string;
  /** The commit the project is at; undefined for `al dev`. */
  readonly wanted?: string | undefined;
  readonly activeRuns: number;
  readonly queued: number;
  /** It was paused for its stop, and is so no more. */
  readonly resumed: boolean;
  readonly paused?: HoldAnswer;
}

/** The same for a person, with what to do next. */
export function startLines(
  host: string,
  end: StartEnd,
  { dev }: { readonly dev: boolean },
): string[] {
  const { revision, wanted, activeRuns, queued, paused } = end;
  const isBehind = wanted !== undefined && wanted !== revision;
  const work = [
    ...(activeRuns > 0 ? [`${counted(activeRuns, "run")} under way`] : []),
    ...(queued > 0 ? [`${queued} queued`] : []),
  ];
  const goOn = `al resume ${whereFlags(host, dev)}`;
  return [
    `${host}: ready, revision ${shortHash(revision)}${work.length > 0 ? `, ${work.join(", ")}` : ""}`,
    ...(paused ? [`  ${heldText({ state: "paused" }, paused)}; to go on: ${goOn}`] : []),
    ...(isBehind ? [`  the project is at ${shortHash(wanted)}: al apply --host ${host}`] : []),
  ];
}
