import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { HEALTH_SCRIPT } from "../../../src/host/health-script.ts";
import { lookAtHealth } from "../../../src/host/look-at-health.ts";
import { parseHealth } from "../../../src/host/parse-health.ts";
import { openLocal } from "../../../src/transport/local.ts";

const PRINTED = `time 1700000010
synchronised no
disk /dev/vda1 20971520 15728640 5242880 75% /
disk /dev/vda1 20971520 15728640 5242880 75% /
disk /dev/vdb 1000 900 100 90% /var/lib/docker data
inodes /dev/vda1 1000 900 100 90% /
inodes /dev/vdb 0 0 0 - /var/lib/docker data
resolver 169.254.169.254
resolver 1.1.1.1
resolves yes
address 10.1.0.7
address 203.0.113.7
address fd00::7
address 2001:db8::7
address 172.17.0.1
address 1.2
listen LISTEN 0      128          0.0.0.0:22        0.0.0.0:*
listen LISTEN 0      4096 127.0.0.53%lo:53        0.0.0.0:*
listen LISTEN 0      4096            [::]:2375         [::]:*
listen LISTEN 0      4096               *:8080            *:*
MemTotal 1000
SwapTotal 0
reboot yes
apt 1
sshd port 22
sshd maxsessions 10
sshd usedns
end
`;

/** Programs of a host where nobody may be root but through Docker. */
const PROGRAMS = {
  id: "echo 1001",
  sudo: "exit 1",
  docker: `case "$1 $2" in
    'ps -aq') [ "$4" != label=action-llama.role=runtime ] || cat "$0.runtime" ;;
    'inspect -f') echo "sha256:of-$4" ;;
    'run --rm') case " $* " in
      *' -v /:/host:ro --entrypoint chroot sha256:of-r1 /host '*'sshd -T ') echo 'permitrootlogin no' ;;
    esac ;;
  esac`,
};

test("without sudo the settings of sshd are seen through the runtime's image, if there is one", async () => {
  const directory = mkdtempSync(join(tmpdir(), "al-health-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, script] of Object.entries(PROGRAMS)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const env = { HOME: directory, PATH: `${directory}:/usr/bin:/bin` };
  const look = async () => (await lookAtHealth(openLocal({ host: "one", env }), systemClock)).sshd;
  writeFileSync(join(directory, "docker.runtime"), "r1\nr2\n");
  expect(await look()).toEqual({ permitrootlogin: "no" });
  writeFileSync(join(directory, "docker.runtime"), "");
  expect(await look()).toBeUndefined();
});

test("every fact is read as it was printed", () => {
  expect(parseHealth("web-1", PRINTED, 1_700_000_000_500)).toEqual({
    clockOffsetMs: 10_000,
    clockSynchronised: false,
    disks: [
      { mount: "/", totalBytes: 20_971_520 * 1024, freeBytes: 5_242_880 * 1024, freeInodes: 0.1 },
      {
        mount: "/var/lib/docker data",
        totalBytes: 1000 * 1024,
        freeBytes: 100 * 1024,
        freeInodes: 1,
      },
    ],
    resolvers: ["169.254.169.254", "1.1.1.1"],
    resolvesNames: true,
    interfaceAddresses: ["203.0.113.7", "2001:db8::7"],
    listening: [
      { address: "0.0.0.0", port: 22 },
      { address: "127.0.0.53", port: 53 },
      { address: "::", port: 2375 },
      { address: "*", port: 8080 },
    ],
    sshd: { port: "22", maxsessions: "10", usedns: "" },
    rebootRequired: true,
    memoryBytes: 1000 * 1024,
    swapBytes: 0,
    securityUpgrades: true,
  });
});

test.each([
  ['daemon {"dns": ["9.9.9.9"]}', ["9.9.9.9"]],
  ['daemon {"live-restore": true}', ["10.0.0.1"]],
  ['daemon {"dns": "x", broken', ["10.0.0.1"]],
])("resolvers that Docker was told of count instead of the host's: %s", (line, resolvers) => {
  const text = `${line}\nresolver 10.0.0.1\nresolves yes\nend\n`;
  expect(parseHealth("web-1", text, 0).resolvers).toEqual(resolvers);
});

test.each([
  ["apt ", false],
  ["apt 0", false],
  ["apt 1", true],
  ["apt always", true],
  ["", undefined],
])("%j says whether security upgrades are installed", (line, expected) => {
  expect(parseHealth("web-1", `${line}\nend\n`, 0).securityUpgrades).toBe(expected);
});

test("a look that was cut off is none", () => {
  expect(() => parseHealth("web-1", PRINTED.replace(/^end$/m, ""), 0)).toThrow(
    expect.objectContaining({ code: "observation-failed", blame: "transient" }),
  );
});

test("the script runs on this machine, and says of it what is so", async () => {
  const transport = openLocal({ host: "local", env: { HOME: "/" } });
  const look = await lookAtHealth(transport, systemClock);
  await transport.close();
  expect(Math.abs(look.clockOffsetMs)).toBeLessThan(5000);
  expect(look.memoryBytes).toBeGreaterThan(0);
  const root = look.disks.find(({ mount }) => mount === "/");
  expect(root?.totalBytes).toBeGreaterThan(root?.freeBytes ?? Number.POSITIVE_INFINITY);
});

test("no shell finds anything wrong with the script", () => {
  expect(() => execFileSync("sh", ["-n", "-c", HEALTH_SCRIPT])).not.toThrow();
});
