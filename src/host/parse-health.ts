import { BlockList, isIP } from "node:net";
import { AlError } from "../base/errors.ts";
import type { Disk, HostHealth } from "../core/host-health.ts";

/** What one look on the host itself tells. */
export type HealthLook = Omit<HostHealth, "docker" | "addresses">;

/**
 * Reads what the health script printed; `nowMs` is our time when the look began.
 * @throws AlError `observation-failed` (transient) where it did not reach its end.
 */
export function parseHealth(host: string, text: string, nowMs: number): HealthLook {
  const lines = text.split("\n").map((line) => line.trimEnd());
  if (!lines.includes("end")) throw cutOff(host);
  const all = (word: string) =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  const one = (word: string) => all(word)[0];
  const sshd = all("sshd").map((line) => splitOnce(line));
  const seconds = Number(one("time"));
  return {
    clockOffsetMs: Number.isFinite(seconds) ? seconds * 1000 + 500 - nowMs : 0,
    clockSynchronised: yesNo(one("synchronised")),
    disks: disksOf(all("disk"), all("inodes")),
    resolvers: dockerResolvers(one("daemon")) ?? all("resolver"),
    resolvesNames: one("resolves") === "yes",
    interfaceAddresses: all("address").filter(isKnownToOthers),
    listening: all("listen").flatMap(socketOf),
    sshd: sshd.length > 0 ? Object.fromEntries(sshd) : undefined,
    rebootRequired: one("reboot") === "yes",
    memoryBytes: kilobytes(one("MemTotal")),
    swapBytes: kilobytes(one("SwapTotal")),
    securityUpgrades: lines.some((line) => /^apt( |$)/.test(line))
      ? !["0", undefined].includes(one("apt"))
      : undefined,
  };
}

function yesNo(word: string | undefined): boolean | undefined {
  return word === undefined ? undefined : word === "yes";
}

function kilobytes(text = "0"): number {
  return Number(text) * 1024;
}

/** `/dev/vda1 20134592 9000000 11000000 45% /`, as df -P prints it. */
function disksOf(spaces: readonly string[], inodes: readonly string[]): Disk[] {
  const free = new Map(
    inodes.map((line) => {
      const { total, available, mount } = columns(line);
      return [mount, total > 0 ? available / total : 1] as const;
    }),
  );
  const disks = spaces.map((line): Disk => {
    const { total, available, mount } = columns(line);
    return {
      mount,
      totalBytes: total * 1024,
      freeBytes: available * 1024,
      freeInodes: free.get(mount) ?? 1,
    };
  });
  return [...new Map(disks.map((disk) => [disk.mount, disk])).values()];
}

function columns(line: string): { total: number; available: number; mount: string } {
  const [, total, , available, , ...mount] = line.split(/\s+/);
  return { total: Number(total) || 0, available: Number(available) || 0, mount: mount.join(" ") };
}

/** `LISTEN 0 128 0.0.0.0:22 0.0.0.0:*`, as ss -Hltn prints it. */
function socketOf(line: string): { address: string; port: number }[] {
  const local = line.split(/\s+/)[3] ?? "";
  const [, address, port] = /^(.*):(\d+)$/.exec(local) ?? [];
  if (address === undefined) return [];
  return [{ address: address.replace(/^\[|\]$|%.*$/g, ""), port: Number(port) }];
}

const PRIVATE = new BlockList();
for (const [address, bits] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["169.254.0.0", 16],
] as const) {
  PRIVATE.addSubnet(address, bits, "ipv4");
}
PRIVATE.addSubnet("fc00::", 7, "ipv6");

/** Docker's networks have such ones, and so has a host behind another that has its public address. */
function isKnownToOthers(address: string): boolean {
  const family = isIP(address);
  return family > 0 && !PRIVATE.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** Resolvers that Docker was told of, which count instead of the host's. */
function dockerResolvers(daemonJson: string | undefined): string[] | undefined {
  if (daemonJson === undefined) return undefined;
  try {
    const { dns } = JSON.parse(daemonJson) as { dns?: unknown };
    return Array.isArray(dns) && dns.length > 0 ? dns.map(String) : undefined;
  } catch {
    return undefined;
  }
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf(" ");
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}

function cutOff(host: string): AlError {
  return new AlError(`host ${host}: looking at it was cut off`, {
    code: "observation-failed",
    blame: "transient",
    hint: "Repeat the command.",
  });
}
