import { expect, test } from "vitest";
import { type HostHealth, judgeHealth, problemsFirst } from "../../../src/core/host-health.ts";

const GIB = 1024 ** 3;

const GOOD: HostHealth = {
  clockOffsetMs: 300,
  clockSynchronised: true,
  disks: [{ mount: "/", totalBytes: 50 * GIB, freeBytes: 30 * GIB, freeInodes: 0.9 }],
  resolvers: ["1.1.1.1"],
  resolvesNames: true,
  interfaceAddresses: ["203.0.113.7"],
  listening: [
    { address: "0.0.0.0", port: 22 },
    { address: "127.0.0.1", port: 2375 },
  ],
  sshd: {
    maxsessions: "10",
    passwordauthentication: "no",
    permitrootlogin: "prohibit-password",
    clientaliveinterval: "15",
  },
  rebootRequired: false,
  memoryBytes: 2 * GIB,
  swapBytes: 0,
  securityUpgrades: true,
  docker: { version: "26.1.5", liveRestore: true },
  addresses: ["203.0.113.7", "2001:db8::7"],
};

const disk = (facts: Partial<HostHealth["disks"][number]>) => ({
  disks: [{ mount: "/", totalBytes: 50 * GIB, freeBytes: 30 * GIB, freeInodes: 0.9, ...facts }],
});

test("nothing is found on a good host", () => {
  expect(judgeHealth(GOOD)).toEqual([]);
});

test("what a host cannot say is not held against it", () => {
  const silent = {
    ...GOOD,
    clockSynchronised: undefined,
    sshd: undefined,
    securityUpgrades: undefined,
    docker: undefined,
    disks: [],
    resolvers: [],
    listening: [],
    addresses: [],
  };
  expect(judgeHealth(silent)).toEqual([]);
});

test.each<[string, Partial<HostHealth>, "problem" | "advice", string, string]>([
  ["a clock that is ahead", { clockOffsetMs: 61_000 }, "problem", "clock", "61 s ahead of"],
  ["a clock that is behind", { clockOffsetMs: -6000 }, "problem", "clock", "6 s behind"],
  ["a clock that nothing sets", { clockSynchronised: false }, "advice", "clock", "nothing sets"],
  ["a full disk", disk({ freeBytes: 0.5 * GIB }), "problem", "disk", "0.5 GiB of 50.0 GiB"],
  ["a disk that fills", disk({ freeBytes: 7 * GIB }), "advice", "disk", "(14 %)"],
  ["a lack of inodes", disk({ freeInodes: 0.01 }), "problem", "disk", "1 % of its inodes"],
  ["a link-local resolver", { resolvers: ["169.254.169.254"] }, "problem", "dns", "169.254.0.0/16"],
  ["no names", { resolvesNames: false }, "problem", "dns", "does not resolve names"],
  [
    "an address of several machines",
    { addresses: ["192.0.2.1", "192.0.2.2"] },
    "problem",
    "dns",
    "192.0.2.1, 192.0.2.2",
  ],
  [
    "Docker open to the world",
    { listening: [{ address: "*", port: 2375 }] },
    "problem",
    "ports",
    "whoever reaches it is root",
  ],
  [
    "Docker behind a certificate",
    { listening: [{ address: "::", port: 2376 }] },
    "advice",
    "ports",
    "2376",
  ],
  [
    "a Docker whose restart ends runs",
    { docker: { version: "26", liveRestore: false } },
    "advice",
    "docker",
    "live-restore",
  ],
  ["little memory", { memoryBytes: GIB, swapBytes: 0 }, "advice", "memory", "1.0 GiB of memory"],
  ["too few sessions", { sshd: { maxsessions: "2" } }, "problem", "sshd", "MaxSessions is 2"],
  ["passwords", { sshd: { passwordauthentication: "yes" } }, "advice", "sshd", "passwords"],
  ["root with a password", { sshd: { permitrootlogin: "yes" } }, "advice", "sshd", "root"],
  ["sessions that stay", { sshd: { clientaliveinterval: "0" } }, "advice", "sshd", "dead"],
  ["a reboot that is due", { rebootRequired: true }, "advice", "updates", "reboot"],
  ["no upgrades", { securityUpgrades: false }, "advice", "updates", "not installed"],
])("%s is found, with what to do", (_what, facts, ...[severity, topic, says]) => {
  const found = judgeHealth({ ...GOOD, ...facts });
  expect(found).toEqual([
    { severity, topic, says: expect.stringContaining(says), todo: expect.stringMatching(/\S{3}/) },
  ]);
});

test("problems come before advice", () => {
  const found = judgeHealth({ ...GOOD, clockSynchronised: false, sshd: { maxsessions: "1" } });
  expect(problemsFirst(found).map(({ severity }) => severity)).toEqual(["problem", "advice"]);
});
