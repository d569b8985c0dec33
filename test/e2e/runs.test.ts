import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256, treeHash } from "../../src/core/fingerprint.ts";
import { RunAnswer, RunsAnswer } from "../../src/gateway/control-schema.ts";
import { type ModelServer, startModelServer } from "../model-server/server.ts";
import { type RunClient, runClient } from "./run-client.ts";
import { type RuntimeHost, startRuntimeHost } from "./runtime-host.ts";

let rig: RuntimeHost;
let model: ModelServer;
let client: RunClient;

beforeAll(async () => {
  rig = await startRuntimeHost("runs-e2e");
  model = await startModelServer({ host: rig.host.gatewayAddress, script: [] });
  const shared = { model: { provider: "anthropic", model: "m", baseUrl: model.url } };
  const instructions = "Do what you are told.";
  const limits = { maxTurns: 2, maxRunsPerDay: 2 };
  const agents = [
    { agent: { name: "dev", ...shared }, instructions },
    { agent: { name: "thrifty", ...shared, limits }, instructions },
  ];
  const runtime = await rig.deploy(await rig.prepare(agents, "revision-1"), "first");
  await rig.untilReady(runtime);
  client = runClient(rig, runtime);
});

afterAll(async () => {
  await model?.close();
  await rig?.close();
});

/** The model's script: bash commands, then the end. */
function say(...commands: string[]): void {
  const turns = commands.map((command) => ({
    toolCalls: [{ name: "bash", input: { command } }],
  }));
  model.use([{ turns: [...turns, { text: "done" }] }]);
}

test("a context of 10 MB reaches the agent whole, as a file that only it can read", async () => {
  const context = { event: "issues", text: "x".repeat(10 * 1024 * 1024 - 100) };
  say("cd /run/al && sha256sum context.json && wc -c context.json && stat -c '%a %u' context.json");
  const run = await client.trigger("dev", { by: "ann@laptop", context });
  expect((await client.follow("dev", run)).at(-1)).toMatchObject({ run: { outcome: "completed" } });
  const seen = model.requests.at(-1)?.text ?? "";
  expect(seen).toContain(sha256(JSON.stringify(context)));
  expect(seen).toContain(`${JSON.stringify(context).length} context.json`);
  expect(seen).toContain("400 1000");
  await client.untilGone(run);
});

test("a run is killed at a limit of its agent, and none starts over the limit of a day", async () => {
  say("true", "true", "sleep 60");
  const run = await client.trigger("thrifty");
  expect((await client.follow("thrifty", run)).at(-1)).toMatchObject({
    run: {
      ...{ outcome: "over-budget", exitCode: 137, usage: { turnCount: 3, totalTokens: 45 } },
      detail: "it took 3 turns; maxTurns is 2",
    },
  });
  await client.untilGone(run);
  say("true");
  const within = await client.follow("thrifty", await client.trigger("thrifty"));
  expect(within.at(-1)).toMatchObject({ run: { outcome: "completed", usage: { turnCount: 2 } } });
  await expect(client.trigger("thrifty")).rejects.toMatchObject({
    code: "over-budget",
    message: expect.stringContaining("it has 2 runs today; maxRunsPerDay is 2"),
    hint: expect.stringContaining("thrifty/agent-config.toml"),
  });
});

/** Gives the host a key for versions, and makes the version of a field as the controller has it made there. */
async function versionOnHost(key: string, path: string): Promise<string> {
  const script = `cd "$1" && echo "$2" > credential.key &&
    { printf '%s\\0' "$2"; cat credentials/*/"$3"; } | sha256sum`;
  const argv = ["sh", "-c", script, "sh", rig.projectDir, key, path];
  return (await rig.transport.exec(argv)).stdout.toString().slice(0, 64);
}

test("a run's record says who started what from what, and what it used", async () => {
  const key = "00".repeat(32);
  const hash = await versionOnHost(key, "anthropic_key/default/token");
  say("true");
  const id = await client.trigger("dev", { by: "ann@laptop" });
  await client.follow("dev", id);
  const record = RunAnswer.parse(await client.get(`/control/runs/${id}`));
  const imageId = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
  const version = treeHash([{ path: "anthropic_key/default/token", hash }]);
  expect(record).toMatchObject({
    ...{ id, agent: "dev", trigger: "manual", by: "ann@laptop", outcome: "completed", exitCode: 0 },
    ...{ revision: "revision-1", image: rig.images.agent, imageId },
    ...{ startedAt: expect.any(Number), endedAt: expect.any(Number) },
    credentialVersions: { "anthropic_key:default": version },
    usage: { totalTokens: 30, turnCount: 2, cost: 0 },
  });
  const { runs } = RunsAnswer.parse(await client.get("/control/runs?agent=dev&limit=1"));
  expect(runs).toEqual([record]);
});
