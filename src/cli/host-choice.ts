import { AlError } from "../base/errors.ts";

/** A command that changes something on hosts. */
export interface Change {
  /** Its own words, for the hint: `pause issue-triage`. */
  readonly words: string;
  /** Whether the flags say which hosts are meant. */
  readonly said: boolean;
  /** Only hosts that have this agent are meant. */
  readonly agent?: string | undefined;
}

/**
 * What a command changes, it changes where its words say, and nowhere by guess: the names of all hosts it
 * could mean must be one, or said. @throws AlError `host-unsaid` (user), listing them.
 */
export function checkSaid({ words, said, agent }: Change, hosts: readonly string[]): void {
  if (said || hosts.length < 2) return;
  const what = agent === undefined ? "the fleet has" : `agent ${agent} is on`;
  throw new AlError(`${what} ${hosts.length} hosts: ${hosts.join(", ")}`, {
    code: "host-unsaid",
    blame: "user",
    hint: `Say which: al ${words} --host NAME, --label KEY=VALUE, or --all`,
  });
}
