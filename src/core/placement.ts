import { compareText, sha256 } from "./fingerprint.ts";

/**
 * The host of every agent, by rendezvous hashing: each agent goes to the host with the highest
 * SHA-256 of host and agent, so a host that comes or goes moves only the agents it wins or held.
 * Returns every host, sorted, with its sorted agents; without hosts the result is empty.
 */
export function placeAgents(
  agents: readonly string[],
  hosts: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const placed = new Map<string, string[]>([...hosts].sort(compareText).map((host) => [host, []]));
  for (const agent of [...agents].sort(compareText)) {
    const host = highestScore(agent, [...placed.keys()]);
    if (host !== undefined) placed.get(host)?.push(agent);
  }
  return placed;
}

function highestScore(agent: string, sortedHosts: readonly string[]): string | undefined {
  let best: { host: string; score: string } | undefined;
  for (const host of sortedHosts) {
    const score = sha256(`${host}\0${agent}`);
    if (best === undefined || score > best.score) best = { host, score };
  }
  return best?.host;
}
