import { compareText, sha256 } from "./fingerprint.ts";

/** A name with 64 bits of its SHA-256: hashed once, however many pairs it is scored in. */
export interface RendezvousSeed {
  readonly name: string;
  readonly high: number;
  readonly low: number;
}

/** The seed of a host's or an agent's name. */
export function rendezvousSeed(name: string): RendezvousSeed {
  const hash = sha256(name);
  const word = (at: number) => Number.parseInt(hash.slice(at, at + 8), 16) | 0;
  return { name, high: word(0), low: word(8) };
}

/**
 * The `count` nodes that score highest with `key`, sorted by name: rendezvous hashing. Each score
 * depends on its pair alone, so a node more or less changes nothing between the others.
 */
export function topScores<Node extends RendezvousSeed>(
  key: RendezvousSeed,
  nodes: readonly Node[],
  count: number,
): readonly Node[] {
  if (count >= nodes.length) return nodes.toSorted((a, b) => compareText(a.name, b.name));
  if (count === 1) return highest(key, nodes);
  return nodes
    .map((node) => ({ node, score: score(key, node) }))
    .sort((a, b) => b.score - a.score || compareText(a.node.name, b.node.name))
    .slice(0, count)
    .map(({ node }) => node)
    .sort((a, b) => compareText(a.name, b.name));
}

/** Without allocation: a fleet of 1,000 hosts and 10,000 agents has ten million pairs. */
function highest<Node extends RendezvousSeed>(key: RendezvousSeed, nodes: readonly Node[]): Node[] {
  let best: Node | undefined;
  let bestScore = -1;
  for (const node of nodes) {
    const own = score(key, node);
    const wins = own > bestScore || (own === bestScore && best && node.name < best.name);
    if (!wins) continue;
    best = node;
    bestScore = own;
  }
  return best ? [best] : [];
}

function score(a: RendezvousSeed, b: RendezvousSeed): number {
  return mix(mix(a.high ^ b.high) + (a.low ^ b.low)) >>> 0;
}

/** The 32-bit finalizer of MurmurHash3: every bit of the input changes half of the output's. */
function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
