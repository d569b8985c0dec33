import { afterAll, beforeAll, expect, test } from "vitest";
import { StatusAnswer } from "../../src/gateway/control-schema.ts";
import { type ModelServer, startModelServer } from "../model-server/server.ts";
import { type RunClient, runClient } from "./run-client.ts";
import { MODEL_KEY, type RuntimeHost, startRuntimeHost } from "./runtime-host.ts";

let rig: RuntimeHost;
let model: ModelServer;
let client: RunClient;
let runtime: string;

beforeAll(async () => {
  rig = await startRuntimeHost("damage-e2e");
  const host = rig.host.gatewayAddress;
  model = await startModelServer({ host, script: [], expectedKey: MODEL_KEY });
  const anthropic = { provider: "anthropic", model: "m", baseUrl: model.url };
  const agent = { name: "dev", model: anthropic };
  const agents = [{ agent, instructions: "You are the developer." }];
  runtime = await rig.deploy(await rig.prepare(agents, "revision-1"), "first");
  await rig.untilReady(runtime);
  client = runClient(rig, runtime);
});

afterAll(async () => {
  await model?.close();
  await rig?.close();
});

test("a runtime goes on after its database is lost under it, and its runs are taken over", async () => {
  const bash = { name: "bash", input: { command: "sleep 15; echo slept" } };
  model.use([{ when: "developer", turns: [{ toolCalls: [bash] }, { text: "done" }] }]);
  const run = await client.trigger("dev");
  await client.untilContainer(run);
  const spoil = `
    docker stop -t 20 ${runtime}
    head -c 50000 /dev/urandom > ${rig.projectDir}/state.db
    rm -f ${rig.projectDir}/state.db-wal
    docker start ${runtime}`;
  await rig.host.exec(["sh", "-c", spoil]);
  await rig.untilReady(runtime);
  const { report, runs } = StatusAnswer.parse(await client.get("/control/status"));
  expect(report.damaged?.file).toContain("state.db.damaged-");
  expect(runs).toMatchObject([{ id: run, agent: "dev", state: "running", trigger: "lost" }]);
  expect(await client.ended("dev", run)).toMatchObject({ outcome: "completed", exitCode: 0 });
  await client.untilGone(run);
  const { stdout } = await rig.host.exec(["docker", "logs", runtime]);
  expect(stdout).toContain("the database was damaged and has been replaced");
  expect(stdout).toContain("run without a record taken over");
  await client.ended("dev", await client.trigger("dev"));
  const kept = await rig.host.exec(["sh", "-c", `stat -c %a ${report.damaged?.file}`]);
  expect(kept.stdout.trim()).toBe("600");
});
