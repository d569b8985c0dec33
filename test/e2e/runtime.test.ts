import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Current } from "../../src/core/observed.ts";
import { applyRules } from "../../src/runtime/apply-rules.ts";
import { probeIsolation } from "../../src/runtime/isolation-probe.ts";
import { type ModelServer, startModelServer } from "../model-server/server.ts";
import { type RunClient, runClient, textOf } from "./run-client.ts";
import { MODEL_KEY, outputOf, type RuntimeHost, startRuntimeHost } from "./runtime-host.ts";

let rig: RuntimeHost;
let model: ModelServer;
let live: Omit<Current, "runtime">;
let runtime: string;
let client: RunClient;

beforeAll(async () => {
  rig = await startRuntimeHost("runtime-e2e");
  model = await startModelServer({
    host: rig.host.gatewayAddress,
    script: [],
    expectedKey: MODEL_KEY,
  });
  const anthropic = { provider: "anthropic", model: "m", baseUrl: model.url };
  const params = { command: "echo by-$(id -u)", output: "who" };
  const preflight = [{ provider: "shell", required: true, params }];
  const agent = { name: "dev", model: anthropic, preflight };
  live = await rig.prepare([{ agent, instructions: "Do what you are told." }], "revision-1");
  runtime = await rig.deploy(live, "first");
  client = runClient(rig, runtime);
  await rig.untilReady(runtime);
});

afterAll(async () => {
  await model?.close();
  await rig?.close();
});

test("runs the real agent on a trigger, and shows its output while it runs", async () => {
  say("echo hello-$((40 + 2)); cat who; ls /credentials; sleep 1; echo oops >&2");
  const run = await client.trigger("dev");
  const events = await client.follow("dev", run);
  const text = textOf(events);
  expect(text).toContain('"msg":"container starting"');
  expect(text).toContain('"msg":"credentials loaded from volume"');
  expect(text).toContain('"msg":"preflight step done"');
  expect(text).toContain('"msg":"run completed"');
  expect(events.at(-1)).toMatchObject({ kind: "end", run: { outcome: "completed", exitCode: 0 } });
  const seen = model.requests.at(-1)?.text ?? "";
  expect(seen).toContain("hello-42\nby-1000\n");
  expect(seen).toContain("anthropic_key");
  expect(seen).not.toContain("github_token");
  await client.untilGone(run);
});

test("confines the container and keeps secrets out of its configuration", async () => {
  const inside = "grep -E 'CapEff|NoNewPrivs' /proc/self/status; touch /x; touch /credentials/y";
  say(`${inside}; id -u; stat -c '%a %u' /credentials/anthropic_key/default/token; sleep 2`);
  const run = await client.trigger("dev");
  const { code, stdout } = await client.untilContainer(run);
  expect(code).toBe(0);
  const [config] = JSON.parse(stdout) as { Config: { Env: string[] }; HostConfig: object }[];
  const own = config?.Config.Env.filter((entry) => !/^(PATH|HOME|NODE_VERSION)=/.test(entry));
  expect(own?.sort()).toEqual([
    `GATEWAY_URL=http://${live.network.gateway}:7070`,
    "TIMEOUT_SECONDS=120",
  ]);
  expect(config?.HostConfig).toMatchObject({
    ...{ ReadonlyRootfs: true, CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"] },
    ...{ PidsLimit: 512, Memory: 512 * 1024 * 1024, NanoCpus: 1e9, NetworkMode: "al-e2e" },
  });
  await client.follow("dev", run);
  const seen = model.requests.at(-1)?.text ?? "";
  expect(seen).toMatch(/CapEff:\s*0000000000000000/);
  expect(seen).toMatch(/NoNewPrivs:\s*1/);
  expect(seen).toContain("cannot touch '/x'");
  expect(seen).toContain("cannot touch '/credentials/y'");
  expect(seen).toContain("400 1000");
});

test("resumes a log from a cursor", async () => {
  const [run] = await client.runs();
  const all = await client.follow("dev", run?.id ?? "");
  const lines = all.filter((event) => event.kind === "line");
  const middle = lines[Math.floor(lines.length / 2)];
  const rest = await client.follow("dev", run?.id ?? "", `&cursor=${middle?.cursor}`);
  expect(rest).toEqual(all.slice(Math.floor(lines.length / 2) + 1));
  const last = await client.follow("dev", run?.id ?? "", "&lines=1");
  expect(last).toEqual(all.slice(-2));
});

test("kills a run that asks for it through the gateway, and says so only then", async () => {
  say(
    'curl -s -m 5 -X POST "$GATEWAY_URL/shutdown" -d "{\\"secret\\":\\"$SHUTDOWN_SECRET\\"}"; sleep 60',
  );
  const run = await client.trigger("dev");
  const end = (await client.follow("dev", run)).at(-1);
  expect(end).toMatchObject({ kind: "end", run: { outcome: "killed", exitCode: 137 } });
});

test("answers a wrong secret with 403 and a wrong body with 400", async () => {
  const post = (body: string) => `curl -s -w ' %{http_code};' -d '${body}' "$GATEWAY_URL/shutdown"`;
  say(`${post('{"secret":"guess"}')}; ${post("{oops")}; curl -s "$GATEWAY_URL/credentials/guess"`);
  await client.follow("dev", await client.trigger("dev"));
  const seen = model.requests.at(-1)?.text ?? "";
  expect(seen).toContain('{"error":"invalid secret"} 403;{"error":"invalid JSON body"} 400;');
});

describe("isolation", () => {
  test("lets a run reach neither host nor neighbours nor metadata", async () => {
    const own = (await rig.docker.inspectContainer(runtime))?.addresses[live.network.name];
    const targets = [`${live.network.gateway}:22`, `${own}:7070`, "169.254.169.254:80"];
    say(targets.map((target) => `curl -sS -m 3 http://${target} 2>&1`).join("; "));
    await client.follow("dev", await client.trigger("dev"));
    const refused = model.requests.at(-1)?.text.match(/Failed to connect/g) ?? [];
    expect(refused).toHaveLength(3);
  });

  test("is noticed when the rules are gone, and they are put back", async () => {
    const { docker, images } = rig;
    const tools = { docker, place: { ...live, network: live.network }, baseImage: images.agent };
    const { signal } = new AbortController();
    await probeIsolation(tools, runtime, signal);
    const own = "AL-IN-$(printf %s e2e | sha256sum | cut -c1-10)";
    await rig.host.exec(["sh", "-c", `iptables -F "${own}"; iptables -F DOCKER-USER`]);
    await expect(probeIsolation(tools, runtime, signal)).rejects.toMatchObject({
      code: "probe-failed",
      message: expect.stringContaining("not refused"),
    });
    expect(await applyRules(tools, signal)).toBe("changed");
    expect(await applyRules(tools, signal)).toBe("ok");
    await probeIsolation(tools, runtime, signal);
  });

  test("keeps our rules before those that others put first", async () => {
    const { docker, images } = rig;
    const tools = { docker, place: { ...live, network: live.network }, baseImage: images.agent };
    const { signal } = new AbortController();
    await rig.host.exec(["iptables", "-I", "INPUT", "-j", "ACCEPT"]);
    expect(await applyRules(tools, signal)).toBe("changed");
    const { stdout } = await rig.host.exec(["iptables", "-S", "INPUT"]);
    expect(stdout.split("\n").filter((line) => line.startsWith("-A"))).toEqual([
      expect.stringContaining("-j AL-IN-"),
      "-A INPUT -j ACCEPT",
    ]);
    await rig.host.exec(["iptables", "-D", "INPUT", "-j", "ACCEPT"]);
  });
});

describe("replacing the runtime", () => {
  test("leaves a run running; the next runtime adopts it and has every line once", async () => {
    say("for n in $(seq 1 40); do echo line-$n; sleep 0.2; done");
    const run = await client.trigger("dev");
    await client.untilContainer(run);
    await delay(2000);
    const old = runtime;
    runtime = await rig.deploy({ ...live, revision: "revision-2" }, "second", old);
    client = runClient(rig, runtime);
    await rig.untilReady(runtime);
    expect(await outputOf(rig.docker, old)).toContain("the runtime has handed over");
    const events = await client.follow("dev", run);
    expect(events.at(-1)).toMatchObject({ kind: "end", run: { outcome: "completed" } });
    const starts = textOf(events).match(/"msg":"container starting"/g);
    const ends = textOf(events).match(/"msg":"run completed"/g);
    expect([starts, ends]).toEqual([['"msg":"container starting"'], ['"msg":"run completed"']]);
    expect(await client.runs()).toContainEqual(
      expect.objectContaining({ id: run, revision: "revision-1" }),
    );
    await client.untilGone(run);
  });

  test("a runtime killed with SIGKILL comes back, and its run ends as if nothing was", async () => {
    say("sleep 5; echo done");
    const run = await client.trigger("dev");
    await client.untilContainer(run);
    const pid = `$(docker inspect -f '{{.State.Pid}}' ${runtime})`;
    await rig.host.exec(["sh", "-c", `kill -9 ${pid}`]);
    await rig.untilReady(runtime);
    expect((await client.follow("dev", run)).at(-1)).toMatchObject({
      run: { outcome: "completed" },
    });
  });

  test("a runtime that is not named any more ends by itself", async () => {
    const path = `${rig.projectDir}/current.json`;
    const named = (name: string) => JSON.stringify({ ...live, runtime: name });
    const write = (text: string) => [
      "sh",
      "-c",
      'printf %s "$1" > "$2.new" && mv "$2.new" "$2"',
      "w",
      text,
      path,
    ];
    await rig.transport.exec(write(named("another")));
    await expect
      .poll(async () => outputOf(rig.docker, runtime), { timeout: 10_000 })
      .toContain("handed over");
    await rig.transport.exec(write(named(runtime)));
    await rig.untilReady(runtime);
  });
});

describe("a host that goes down", () => {
  test("keeps its rules through a restart of dockerd, and finds the engine again", async () => {
    const rules = async () => (await rig.host.exec(["sh", "-c", RULES])).stdout;
    const before = await rules();
    const stop =
      "p=$(cat /run/docker.pid); kill $p; while kill -0 $p 2>/dev/null; do sleep 0.1; done";
    await rig.host.exec(["sh", "-c", stop]);
    await rig.host.ready();
    await rig.untilReady(runtime);
    expect(before).toMatch(/DOCKER-USER .*-j AL-FWD-/);
    expect(await rules()).toBe(before);
    // The runtime, alive all the time, notices that its socket is a dead one and starts again.
    say("echo back");
    expect((await client.follow("dev", await client.trigger("dev"))).at(-1)).toMatchObject({
      run: { outcome: "completed" },
    });
  });

  test("comes back with rules and runtime, and its run is interrupted, not started again", async () => {
    say("sleep 60");
    const run = await client.trigger("dev");
    await client.untilContainer(run);
    await rig.host.kill();
    await rig.host.start();
    await rig.reconnect();
    await rig.untilReady(runtime);
    expect((await client.follow("dev", run)).at(-1)).toMatchObject({
      run: { outcome: "interrupted" },
    });
    expect((await rig.host.exec(["sh", "-c", RULES])).stdout).toMatch(/-j AL-FWD-/);
    await client.untilGone(run);
    say("echo back");
    expect((await client.follow("dev", await client.trigger("dev"))).at(-1)).toMatchObject({
      run: { outcome: "completed" },
    });
  });
});

/** Everything of ours, and the jumps to it. */
const RULES = "iptables -S | grep -E 'AL-(IN|FWD)-'";

/** The model's script: one bash command, then the end. */
function say(command: string): void {
  const bash = { name: "bash", input: { command } };
  model.use([{ turns: [{ toolCalls: [bash] }, { text: "done" }] }]);
}
