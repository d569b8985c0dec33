import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Current } from "../../src/core/observed.ts";
import { type ModelServer, startModelServer } from "../model-server/server.ts";
import { containerOf, type RunClient, runClient, textOf } from "./run-client.ts";
import {
  GITHUB_TOKEN,
  MODEL_KEY,
  outputOf,
  type RuntimeHost,
  startRuntimeHost,
} from "./runtime-host.ts";

let rig: RuntimeHost;
let model: ModelServer;
let client: RunClient;
let runtime: string;
let live: Omit<Current, "runtime">;

const HOSTILE = "You are hostile.";
const NEIGHBOUR = "You are the neighbour.";

beforeAll(async () => {
  rig = await startRuntimeHost("confinement-e2e");
  const host = rig.host.gatewayAddress;
  model = await startModelServer({ host, script: [], expectedKey: MODEL_KEY });
  const anthropic = { provider: "anthropic", model: "m", baseUrl: model.url };
  const credentials = ["anthropic_key", "github_token"];
  const agents = [
    { agent: { name: "dev", model: anthropic }, instructions: HOSTILE },
    { agent: { name: "neighbour", model: anthropic, credentials }, instructions: NEIGHBOUR },
  ];
  live = await rig.prepare(agents, "revision-1");
  runtime = await rig.deploy(live, "first");
  await rig.untilReady(runtime);
  client = runClient(rig, runtime);
});

afterAll(async () => {
  await model?.close();
  await rig?.close();
});

describe("a run", () => {
  test("writes nowhere but in its own memory", async () => {
    const places = "/tmp(/.*)?|/dev/(shm|mqueue|pts)|/proc/.*";
    const seen = await attempt(
      `find / -writable -type d 2>/dev/null | grep -vxE '${places}'; echo found=$?`,
      "for d in / /etc /usr/local/bin /app /credentials /run/al /var/tmp; do touch $d/x || echo refused; done",
      "df --output=target,size -B1M /tmp | tail -1",
    );
    expect(seen).toContain("found=1");
    expect(seen.match(/refused/g)).toHaveLength(7);
    expect(seen).toMatch(/\/tmp\s+2048/);
  });

  test("has no capability, and gains none", async () => {
    const seen = await attempt(
      "grep -E '^Cap|NoNewPrivs|^Seccomp:' /proc/self/status; id -u",
      "for s in $(find / -xdev -perm -4000 -type f 2>/dev/null); do echo suid $s; done",
      "su -c 'id -u' root </dev/null || echo no-su; unshare -Ur id -u || echo no-unshare",
      "mknod /tmp/disk b 8 0 || echo no-mknod; mkdir -p /tmp/m; mount -t tmpfs x /tmp/m || echo no-mount",
      "chown 0 /tmp/m || echo no-chown; echo 1 > /proc/sys/kernel/panic || echo no-sysctl",
    );
    for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"]) {
      expect(seen).toMatch(new RegExp(`Cap${set}:\\s*0000000000000000`));
    }
    expect(seen).toMatch(/NoNewPrivs:\s*1/);
    expect(seen).toMatch(/Seccomp:\s*2/);
    for (const what of ["su", "unshare", "mknod", "mount", "chown", "sysctl"]) {
      expect(seen).toContain(`no-${what}`);
    }
  });

  test("finds neither Docker nor the control API nor anybody's processes", async () => {
    const gateway = `http://${live.network.gateway}`;
    const seen = await attempt(
      "find / -xdev -type s 2>/dev/null | grep -v ^/tmp; echo sockets=$?",
      "ls /var/run/docker.sock /run/docker.sock /tmp/control.sock",
      "curl -s -m 3 $GATEWAY_URL/control/status; curl -s -m 3 $GATEWAY_URL/control/runs",
      ...[22, 2375, 2376, 8080].map((port) => `curl -sS -m 3 ${gateway}:${port}`),
      "set -- /proc/[0-9]*; echo processes=$#; tr '\\0' '\\n' < /proc/1/environ | sort",
    );
    expect(seen).toContain("sockets=1");
    expect(seen.match(/No such file/g)).toHaveLength(3);
    expect(seen.match(/\{"error":"not found"\}/g)).toHaveLength(2);
    expect(seen.match(/Failed to connect/g)).toHaveLength(4);
    expect(Number(/processes=(\d+)/.exec(seen)?.[1])).toBeLessThan(12);
    expect(seen).toMatch(/^GATEWAY_URL=/m);
    expect(seen).not.toMatch(/^SHUTDOWN_SECRET=|^AL_SECRET|_KEY=/m);
  });
});

describe("a neighbour", () => {
  test("gives a run nothing: no connection, no secret, no credential", async () => {
    const serve = "require('http').createServer((q,s)=>s.end('neighbour-heard')).listen(8000)";
    const own = "sleep 1; curl -s 127.0.0.1:8000; echo; echo secret=$SHUTDOWN_SECRET";
    const command = `timeout 40 node -e "${serve}" & ${own}; sleep 20`;
    const [other, address] = await neighbour(command);
    const seen = await attempt(
      `curl -sS -m 3 http://${address}:8000; curl -sS -m 3 http://${containerOf(other)}:8000`,
      "ls /credentials; curl -s $GATEWAY_URL/credentials/$SHUTDOWN_SECRET; ls -a /run/al",
    );
    await client.ended("neighbour", other);
    const there = heard(NEIGHBOUR);
    expect(there).toContain("neighbour-heard");
    const secret = /secret=(\S{20,})/.exec(there)?.[1] ?? "";
    expect(secret.length).toBeGreaterThan(20);
    expect(seen).not.toContain("neighbour-heard");
    expect(seen.match(/Failed to connect|Could not resolve/g)).toHaveLength(2);
    expect(seen).toContain(`{"anthropic_key":{"default":{"token":"${MODEL_KEY}"}}}`);
    expect(seen).not.toContain(secret);
    expect(seen).not.toContain("github_token");
    expect(seen).not.toContain(GITHUB_TOKEN);
  });

  test("shows no secret on the host, not to inspect, not to ps, not in a log", async () => {
    const work = "echo secret=$SHUTDOWN_SECRET; al-status working; rlock x";
    const [run] = await neighbour(
      `${work}; echo $GITHUB_TOKEN; for n in $(seq 60); do al-wait nobody; done`,
    );
    const looks = "docker inspect $(docker ps -aq) $(docker volume ls -q) $(docker network ls -q)";
    const ps = "for n in $(seq 20); do ps axww -o args; sleep 0.2; done";
    const outside = await rig.host.exec(["sh", "-c", `${looks}; ${ps}`]);
    const log = textOf(await client.follow("neighbour", run));
    const secret = /secret=(\S{20,})/.exec(heard(NEIGHBOUR))?.[1] ?? "";
    expect(secret.length).toBeGreaterThan(20);
    const gateway = await outputOf(rig.docker, runtime);
    expect(outside.stdout).toContain(containerOf(run));
    expect(outside.stdout).toContain("command.js al-wait nobody");
    for (const text of [log, gateway, outside.stdout]) {
      for (const value of [secret, MODEL_KEY, GITHUB_TOKEN]) expect(text).not.toContain(value);
    }
  });
});

describe("what eats the host", () => {
  test("leaves the host usable, and other agents working, when it is a fork bomb", async () => {
    // Only what the shell does itself works while there is no room for another process.
    const pause = "mkfifo /tmp/f; exec 3<>/tmp/f";
    const bomb = "sh -c 'b(){ b | b & }; b' >/dev/null 2>&1; read -t 8 -u 3";
    say(HOSTILE, `${pause}; ${bomb}; set -- /proc/[0-9]*; echo processes=$#`);
    const hostile = await client.trigger("dev");
    await client.untilContainer(hostile);
    await delay(3000);
    const started = performance.now();
    expect((await rig.host.exec(["docker", "ps", "-q"])).code).toBe(0);
    expect(performance.now() - started).toBeLessThan(20_000);
    say(NEIGHBOUR, "echo unharmed");
    const other = await client.trigger("neighbour");
    expect(await client.ended("neighbour", other)).toMatchObject({ outcome: "completed" });
    expect(await client.ended("dev", hostile)).toMatchObject({ state: "finished" });
    expect(Number(/processes=(\d+)/.exec(heard(HOSTILE))?.[1])).toBeLessThan(520);
    await client.untilGone(hostile);
  });

  test("ends its run, with that as its reason, when it is out of memory", async () => {
    say(HOSTILE, "head -c 1500M /dev/zero > /tmp/big; echo survived");
    expect(await client.ended("dev", await client.trigger("dev"))).toMatchObject({
      ...{ outcome: "failed", exitCode: 137, detail: "out of memory" },
    });
    say(NEIGHBOUR, "echo unharmed");
    const other = await client.trigger("neighbour");
    expect(await client.ended("neighbour", other)).toMatchObject({ outcome: "completed" });
  });
});

/** One bash command of an agent's model, then the end; the other agent's stays. */
const commands = new Map<string, string>();
function say(instructions: string, command: string): void {
  commands.set(instructions, command);
  const bash = (text: string) => ({ name: "bash", input: { command: text } });
  model.use(
    [...commands].map(([when, text]) => ({
      when,
      turns: [{ toolCalls: [bash(text)] }, { text: "done" }],
    })),
  );
}

/** What the hostile agent sees of its commands, each tried whatever became of those before. */
async function attempt(...lines: readonly string[]): Promise<string> {
  say(HOSTILE, `exec 2>&1; echo begin-$((40 + 2)); ${lines.join("; ")}; true`);
  await client.ended("dev", await client.trigger("dev"));
  return heard(HOSTILE).split("begin-42").at(-1) ?? "";
}

/** A run of the other agent that is under way, with its container's address. */
async function neighbour(command: string): Promise<readonly [string, string | undefined]> {
  say(NEIGHBOUR, command);
  const run = await client.trigger("neighbour");
  await client.untilContainer(run);
  const state = await rig.docker.inspectContainer(containerOf(run));
  return [run, state?.addresses[live.network.name]];
}

function heard(instructions: string): string {
  const requests = model.requests.filter(({ system }) => system.includes(instructions));
  return requests.at(-1)?.text ?? "";
}
