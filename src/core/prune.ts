import { compareText } from "./fingerprint.ts";

/** Agents of one host: what is live there, and what a revision asks for. */
export interface HostAgents {
  readonly host: string;
  /** Agents live there, as seen now, or as remembered when it cannot be reached. */
  readonly live: readonly string[];
  /** Agents the revision places there; none for a host that is no longer in the fleet. */
  readonly wanted: readonly string[];
}

/** What became of one host in the first half of a fleet's pass: `ready` when it is as the revision asks. */
export type Standing = "ready" | "losing" | "behind";

/** An agent that goes from one host to others. */
export interface Move {
  readonly agent: string;
  readonly from: string;
  /** Sorted. */
  readonly to: readonly string[];
}

/** Why a revision removes so much that it needs the operator's word. */
export interface MassPrune {
  /** `agent on host`, sorted. */
  readonly losses: readonly string[];
  /** Placements that are live in the fleet. */
  readonly live: number;
  readonly reason: "empty" | "mass";
}

/** Agents that are live on a host and that the revision does not place there. */
export function lostAgents({ live, wanted }: HostAgents): readonly string[] {
  return live.filter((agent) => !wanted.includes(agent));
}

/** Agents lost on one host that the revision places on others. */
export function moves(fleet: readonly HostAgents[]): readonly Move[] {
  return fleet.flatMap((one) =>
    lostAgents(one).flatMap((agent) => {
      const to = fleet
        .filter(({ host, wanted }) => host !== one.host && wanted.includes(agent))
        .map(({ host }) => host)
        .sort(compareText);
      return to.length === 0 ? [] : [{ agent, from: one.host, to }];
    }),
  );
}

/**
 * Whether a revision prunes so much that it needs consent. A placement is one agent live on one host;
 * it is lost when the revision places the agent on no host at all. Empty: something is live, and all of
 * it is lost. Mass: at least three placements are live, and more than half of them are lost. Moves are no losses.
 */
export function massPrune(fleet: readonly HostAgents[]): MassPrune | undefined {
  const wanted = new Set(fleet.flatMap((one) => one.wanted));
  const live = fleet.flatMap((one) => one.live.map((agent) => ({ agent, host: one.host })));
  const lost = live.filter(({ agent }) => !wanted.has(agent));
  const losses = lost.map(({ agent, host }) => `${agent} on ${host}`).sort(compareText);
  if (losses.length === 0) return undefined;
  if (losses.length === live.length) return { losses, live: live.length, reason: "empty" };
  const isMass = live.length >= 3 && losses.length > live.length / 2;
  return isMass ? { losses, live: live.length, reason: "mass" } : undefined;
}

/**
 * Moves that keep an agent on the host it leaves: none of its new hosts is as the revision asks yet. Hosts
 * that lose agents to each other would wait for ever: among them, the first by name goes first.
 */
export function waitingMoves(
  fleet: readonly HostAgents[],
  standings: ReadonlyMap<string, Standing>,
  host: string,
): readonly Move[] {
  const all = moves(fleet);
  const isWaiting = ({ to }: Move) => to.every((name) => standings.get(name) !== "ready");
  const own = all.filter((move) => move.from === host && isWaiting(move));
  return own.filter(({ to }) => !to.some((name) => isFirstOfRing(host, name)));

  function isFirstOfRing(from: string, to: string): boolean {
    if (standings.get(to) !== "losing") return false;
    const ring = reachable(to);
    return ring.has(from) && [...ring].every((name) => compareText(from, name) <= 0);
  }

  function reachable(start: string): ReadonlySet<string> {
    const seen = new Set([start]);
    for (const name of seen) {
      const next = all.filter((move) => move.from === name && isWaiting(move));
      for (const { to } of next) for (const target of to) seen.add(target);
    }
    return seen;
  }
}
