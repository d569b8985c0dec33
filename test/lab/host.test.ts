import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startHost } from "./host.ts";
import { generateKeyPair } from "./keys.ts";
import type { LabHost } from "./lab-host.ts";
import { openssh } from "./openssh.ts";
import { type Lab, setUpLab } from "./set-up.ts";

const log = () => undefined;

let lab: Lab;
let host: LabHost;

beforeAll(async () => {
  lab = await setUpLab({ log });
  host = await startHost(lab.engine, { log, name: "lab-test", preload: [lab.baseImage] });
});

afterAll(() => host?.stop());

const ssh = async (command: string) => {
  const { code, stdout, stderr } = await openssh(host, command);
  return { code, output: (stdout + stderr).trim() };
};

test("a host answers over ssh, as deploy, with the host key that was pinned", async () => {
  expect(await ssh("id -u; id -nG")).toEqual({ code: 0, output: "1001\ndeploy docker" });
});

test("a host is refused by a client that pinned another host key", async () => {
  const stranger = { ...view(host), hostPublicKey: generateKeyPair().publicKey };
  const { code, stderr } = await openssh(stranger, "true");
  expect(code).toBe(255);
  expect(stderr).toContain("Host key verification failed");
});

test("a host refuses a key that is not its user's", async () => {
  const stranger = { ...view(host), privateKey: generateKeyPair().privateKey };
  expect((await openssh(stranger, "true")).code).toBe(255);
});

test("a host lets deploy use its own Docker engine", async () => {
  const { code, output } = await ssh("docker version --format '{{.Server.Version}}'");
  expect({ code, isVersion: /^20\.10\./.test(output) }).toEqual({ code: 0, isVersion: true });
});

test("a host runs a container with every isolation flag", async () => {
  const flags =
    "--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges " +
    "--pids-limit 64 --memory 128m --cpus 0.5 --user 1000:1000";
  const script =
    "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max " +
    "/sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; " +
    "grep -E 'CapBnd|NoNewPrivs' /proc/self/status; touch /x 2>&1; touch /tmp/x && echo tmp";
  const command = `docker run --rm ${flags} ${lab.baseImage} sh -c ${quote(script)}`;
  const { output } = await ssh(command);
  expect(output.split("\n").map((line) => line.replace(/\s+/g, " "))).toEqual([
    String(128 * 1024 * 1024),
    "64",
    "CapBnd: 0000000000000000",
    "NoNewPrivs: 1",
    "touch: cannot touch '/x': Read-only file system",
    "tmp",
  ]);
});

test("a host isolates containers of a network without icc and publishes on its gateway", async () => {
  const script = [
    "docker network create -o com.docker.network.bridge.enable_icc=false",
    " --subnet 10.213.200.0/24 --gateway 10.213.200.1 quiet >/dev/null",
    ` && docker run -d --name server --network quiet -p 10.213.200.1:8080:8080 ${lab.baseImage}`,
    ` node -e ${quote("require('http').createServer((_, r) => r.end('hello')).listen(8080)")} >/dev/null`,
    ` && docker run --rm --network quiet ${lab.baseImage}`,
    " curl -sS --retry 20 --retry-delay 1 --retry-connrefused -m 20 http://10.213.200.1:8080",
    " && ip=$(docker inspect -f '{{.NetworkSettings.Networks.quiet.IPAddress}}' server)",
    ` && ! docker run --rm --network quiet ${lab.baseImage} curl -s -m 2 "http://$ip:8080"`,
  ].join("");
  expect(await ssh(script)).toEqual({ code: 0, output: "hello" });
});

test("a host lets a one-shot container of deploy's read the host's firewall", async () => {
  const { code, output } = await ssh(
    "docker run --rm --network host --cap-drop ALL --cap-add NET_ADMIN --cap-add NET_RAW " +
      `--cap-add SYS_CHROOT -v /:/host ${lab.baseImage} chroot /host iptables -S DOCKER-USER`,
  );
  expect({ code, output }).toEqual({
    code: 0,
    output: "-N DOCKER-USER\n-A DOCKER-USER -j RETURN",
  });
});

test("a host reaches, from its containers, a server on this machine", async () => {
  const server = createServer((_, response) => response.end("from outside"));
  server.listen(0, host.gatewayAddress);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://${host.gatewayAddress}:${port}`;
  const result = await ssh(`docker run --rm ${lab.baseImage} curl -sS -m 5 ${url}`);
  server.close();
  expect(result).toEqual({ code: 0, output: "from outside" });
});

test("a host comes back after a power cut with its address, key and containers", async () => {
  await ssh(`docker run -d --restart unless-stopped --name stays ${lab.baseImage} sleep 1000`);
  await host.kill();
  await host.start();
  const { output } = await ssh("docker inspect -f '{{.State.Status}}' stays");
  expect(output).toBe("running");
});

test("a host answers again after its network was unplugged, and after a pause", async () => {
  await host.disconnect();
  await host.connect();
  await host.pause();
  await host.unpause();
  await host.ready();
  expect(await ssh("echo here")).toEqual({ code: 0, output: "here" });
});

function view({ address, port, user, privateKey, hostPublicKey }: LabHost) {
  return { address, port, user, privateKey, hostPublicKey };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
