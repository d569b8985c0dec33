import { AlError } from "../base/errors.ts";

/** Addresses that begin alike. */
export interface IpRange {
  readonly family: "v4" | "v6";
  /** The first of them, in its usual short form. */
  readonly address: string;
  /** How many leading bits they share. */
  readonly bits: number;
}

/** Every IPv4 and every IPv6 address. */
export const EVERYWHERE = ["0.0.0.0/0", "::/0"] as const;

/**
 * Reads `203.0.113.7`, `203.0.113.0/24` or their IPv6 likes; bits behind the prefix are dropped, so
 * that equal ranges are equal.
 * @throws AlError `bad-ip-range` (user).
 */
export function parseIpRange(text: string): IpRange {
  const [, written = "", size] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = written.includes(":") ? "v6" : "v4";
  const groups = family === "v4" ? v4Bytes(written) : v6Bytes(written);
  const width = family === "v4" ? 32 : 128;
  const bits = size === undefined ? width : Number(size);
  if (groups === undefined || bits > width) throw badRange(text);
  const masked = groups.map((byte, index) => byte & maskOf(bits - index * 8));
  return { family, address: family === "v4" ? masked.join(".") : v6Text(masked), bits };
}

/** The one way to write a range: `203.0.113.0/24`. */
export function ipRange(range: IpRange | string): string {
  const { address, bits } = typeof range === "string" ? parseIpRange(range) : range;
  return `${address}/${bits}`;
}

function v4Bytes(text: string): number[] | undefined {
  const parts = text.split(".");
  const valid = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part));
  const bytes = parts.map(Number);
  return valid && bytes.every((byte) => byte < 256) ? bytes : undefined;
}

function v6Bytes(text: string): number[] | undefined {
  const url = URL.canParse(`http://[${text}]/`) ? new URL(`http://[${text}]/`) : undefined;
  if (url === undefined) return undefined;
  const [head = "", tail] = url.hostname.slice(1, -1).split("::");
  const [left, right] = [hexGroups(head), hexGroups(tail ?? "")];
  const zeros = Array<number>(8 - left.length - right.length).fill(0);
  return [...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 255]);
}

function hexGroups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

function v6Text(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

function maskOf(bits: number): number {
  return (0xff << (8 - Math.min(8, Math.max(0, bits)))) & 0xff;
}

function badRange(text: string): AlError {
  return new AlError(`${JSON.stringify(text)} is not an IP address or a range of them`, {
    code: "bad-ip-range",
    blame: "user",
    hint: "Write an address like 203.0.113.7, or a range like 203.0.113.0/24 or 2001:db8::/48.",
  });
}
