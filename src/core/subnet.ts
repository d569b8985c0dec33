import { createHash } from "node:crypto";
import { AlError } from "../base/errors.ts";
import { bridgeName, networkName } from "./names.ts";
import type { NetworkSpec } from "./observed.ts";

const POOL = "10.213";
const POOL_SIZE = 256;

/**
 * The project's network on a host: a /24 of 10.213.0.0/16 chosen by the project's hash,
 * or the next one that overlaps no subnet already on the engine.
 * @throws AlError `no-free-subnet` when all 256 are taken.
 */
export function chooseNetwork(project: string, taken: readonly string[]): NetworkSpec {
  const ranges = taken.map(parseSubnet).filter((range) => range !== undefined);
  const first = createHash("sha256").update(project).digest()[0] ?? 0;
  for (let offset = 0; offset < POOL_SIZE; offset++) {
    const subnet = `${POOL}.${(first + offset) % POOL_SIZE}.0/24`;
    const own = parseSubnet(subnet) as AddressRange;
    if (!ranges.some((range) => range.first <= own.last && own.first <= range.last)) {
      return networkIn(project, subnet);
    }
  }
  throw new AlError(`every /24 of ${POOL}.0.0/16 is taken by another Docker network`, {
    code: "no-free-subnet",
    blame: "user",
    hint: "Remove networks that nobody uses: docker network prune",
  });
}

/** The network object for a known subnet; its gateway is the first address. */
export function networkIn(project: string, subnet: string): NetworkSpec {
  const gateway = subnet.replace(/\.0\/24$/, ".1");
  return { name: networkName(project), bridge: bridgeName(project), subnet, gateway };
}

/** True for a network as {@link chooseNetwork} makes them, whatever its bridge. */
export function isOwnSubnet({ subnet, gateway }: NetworkSpec): boolean {
  const match = /^10\.213\.(\d{1,3})\.0\/24$/.exec(subnet);
  return match !== null && gateway === `${POOL}.${match[1]}.1`;
}

/** True when a subnet overlaps none of those taken. */
export function isSubnetFree(subnet: string, taken: readonly string[]): boolean {
  const own = parseSubnet(subnet);
  if (!own) return false;
  return !taken
    .map(parseSubnet)
    .some((range) => range && range.first <= own.last && own.first <= range.last);
}

interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/** IPv4 only: what is not IPv4 cannot overlap the pool. */
function parseSubnet(subnet: string): AddressRange | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(subnet);
  if (!match) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = match.slice(1).map(Number);
  const size = 2 ** (32 - bits);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1 };
}
