import { BlockList, isIP } from "node:net";

/**
 * The address of whoever sent a request, by the `X-Forwarded-For` that the ingress wrote: the last address
 * that is none of a trusted proxy's. Whoever stands before that could have written anything. Undefined where
 * that is no address.
 */
export function clientAddress(
  forwardedFor: string | undefined,
  trustedProxies: readonly string[],
): string | undefined {
  const chain = (forwardedFor ?? "").split(",").map(withoutZone);
  const trusted = blockList(trustedProxies);
  const client = chain.findLast((address) => isIP(address) === 0 || !isIn(trusted, address));
  // Nobody but trusted proxies: the one that is farthest away.
  const found = client ?? chain[0];
  return found !== undefined && isIP(found) > 0 ? found : undefined;
}

/** What one client is taken for: an IPv4 address, or the /64 that an IPv6 address is in, whose owner has all of it. */
export function clientNetwork(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined || isIP(address) !== 6) return mapped ?? address;
  const [head = "", tail] = address.split("::", 2);
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length);
  const all = [...groups, ...Array<string>(missing).fill("0"), ...after];
  const first = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(":")}::/64`;
}

/** Which of the proxy's interfaces an address was seen at is no part of it. */
function withoutZone(part: string): string {
  return part.trim().replace(/%.*$/, "");
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    const family = familyOf(address);
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, familyOf(address));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
