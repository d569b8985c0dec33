import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunAnswer } from "../../src/gateway/control-schema.ts";
import type { ScriptedConversation } from "../model-server/script.ts";
import { type ModelServer, startModelServer } from "../model-server/server.ts";
import { containerOf, type RunClient, runClient } from "./run-client.ts";
import { MODEL_KEY, type RuntimeHost, startRuntimeHost } from "./runtime-host.ts";

let rig: RuntimeHost;
let model: ModelServer;
let client: RunClient;
let runtime: string;

const INSTRUCTIONS = { dev: "You are the developer.", reviewer: "You are the reviewer." };

beforeAll(async () => {
  rig = await startRuntimeHost("calls-e2e");
  const host = rig.host.gatewayAddress;
  model = await startModelServer({ host, script: [], expectedKey: MODEL_KEY });
  const anthropic = { provider: "anthropic", model: "m", baseUrl: model.url };
  const agents = Object.entries(INSTRUCTIONS).map(([name, instructions]) => ({
    agent: { name, model: anthropic },
    instructions,
  }));
  runtime = await rig.deploy(await rig.prepare(agents, "revision-1"), "first");
  await rig.untilReady(runtime);
  client = runClient(rig, runtime);
});

afterAll(async () => {
  await model?.close();
  await rig?.close();
});

const CALL = `id=$(printf 'Review "PR 42" \\n ü' | al-call reviewer | jq -r .callId); al-wait "$id"`;

test("a run takes a lock, calls another agent, waits for its answer and gets it", async () => {
  const reviewing = '/app/bin/al-status "PR 42 is fine"; al-return \'Looks "good" ü\'';
  say({
    dev: `rlock thing; ${CALL}; echo waited=$?`,
    reviewer: `rlock thing; echo refused=$?; ${reviewing}; sleep 1`,
  });
  const dev = await client.trigger("dev");
  expect(await client.ended("dev", dev)).toMatchObject({ outcome: "completed" });
  const reviewer = await latest("reviewer");
  expect(reviewer).toMatchObject({
    ...{ trigger: "call", outcome: "completed", statusText: "PR 42 is fine" },
  });
  const seen = { dev: heard("dev"), reviewer: heard("reviewer") };
  expect(seen.dev).toContain('{"ok":true,"resourceKey":"thing"}');
  expect(seen.dev).toContain(
    `{"${reviewer?.id}":{"status":"completed","returnValue":"Looks \\"good\\" ü"}}`,
  );
  expect(seen.dev).toContain("waited=0");
  expect(seen.reviewer).toContain('{"caller":"dev","context":"Review \\"PR 42\\" \\n ü"}');
  expect(seen.reviewer).toContain(`{"ok":false,"holder":"dev/${dev}"`);
  expect(seen.reviewer).toContain("refused=1");
  say({ dev: "true", reviewer: "rlock thing; echo taken=$?" });
  await client.ended("reviewer", await client.trigger("reviewer"));
  expect(heard("reviewer")).toContain("taken=0");
});

test("a run waits in line for a lock, also while the runtime is killed under it", async () => {
  say({
    dev: "rlock queue; sleep 8; runlock queue; echo given=$?",
    reviewer: "rlock queue --wait 60; echo waited=$?; runlock queue",
  });
  const dev = await client.trigger("dev");
  await client.untilContainer(dev);
  await expect.poll(async () => (await latest("dev"))?.state).toBe("running");
  const reviewer = await client.trigger("reviewer");
  await client.untilContainer(reviewer);
  const pid = `$(docker inspect -f '{{.State.Pid}}' ${runtime})`;
  await rig.host.exec(["sh", "-c", `sleep 2; kill -9 ${pid}`]);
  await rig.untilReady(runtime);
  expect(await client.ended("reviewer", reviewer)).toMatchObject({ outcome: "completed" });
  expect(await client.ended("dev", dev)).toMatchObject({ outcome: "completed" });
  expect(heard("dev")).toContain("given=0");
  expect(heard("reviewer")).toMatch(/waited=0/);
});

test("a call completes although the runtime is killed in the middle of it", async () => {
  const busy = "for n in $(seq 30); do al-return $n || echo failed=$?; sleep 0.2; done";
  say({ dev: `rlock thing; ${CALL}; echo waited=$?; runlock thing`, reviewer: busy });
  const dev = await client.trigger("dev");
  await expect
    .poll(async () => (await latest("reviewer"))?.state, { timeout: 20_000 })
    .toBe("running");
  const reviewer = (await latest("reviewer"))?.id ?? "";
  await client.untilContainer(reviewer);
  const pid = `$(docker inspect -f '{{.State.Pid}}' ${runtime})`;
  await rig.host.exec(["sh", "-c", `sleep 1; kill -9 ${pid}`]);
  await rig.untilReady(runtime);
  expect(await client.ended("dev", dev)).toMatchObject({ outcome: "completed" });
  expect(heard("dev")).toContain(`{"${reviewer}":{"status":"completed","returnValue":"30"}}`);
  expect(heard("dev")).toMatch(/waited=0\s+{"ok":true}/);
  expect(heard("reviewer")).not.toContain("failed=");
});

test("a call of whoever waits for it is refused as a circle", async () => {
  say({ dev: `${CALL}; echo waited=$?`, reviewer: "al-call dev; echo nested=$?" });
  await client.ended("dev", await client.trigger("dev"));
  expect(heard("dev")).toContain("waited=0");
  expect(heard("reviewer")).toContain("the call would go in a circle: dev -> reviewer -> dev");
  expect(heard("reviewer")).toContain("nested=1");
});

test("calls nest only as deep as maxCallDepth, whoever is asked", async () => {
  // By then the caller has ended: what nobody waits for is no circle.
  const onward = (target: string) => `sleep 4; al-call ${target}; echo nested=$?`;
  say({ dev: onward("reviewer"), reviewer: onward("dev") });
  await client.ended("dev", await client.trigger("dev"));
  await expect.poll(() => heard("reviewer"), { timeout: 60_000 }).toContain("maxCallDepth is 3");
  expect(heard("reviewer")).toContain("nested=1");
  await expect
    .poll(async () => (await client.runs()).every(isOver), { timeout: 60_000 })
    .toBe(true);
});

test("al-shutdown kills the container within two seconds, as Docker itself tells", async () => {
  say({ dev: 'al-shutdown "a secret leaked"; sleep 60', reviewer: "true" });
  const since = Math.floor(Date.now() / 1000) - 1;
  const run = await client.trigger("dev");
  expect(await client.ended("dev", run)).toMatchObject({
    ...{ outcome: "killed", exitCode: 137, detail: "shut down by its agent: a secret leaked" },
  });
  const name = containerOf(run);
  const filters = ["--filter", `container=${name}`, "--format", "{{json .}}"];
  const window = ["--since", `${since}`, "--until", `${Math.ceil(Date.now() / 1000) + 1}`];
  const { stdout } = await rig.host.exec(["docker", "events", ...window, ...filters]);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as DockerEvent);
  const killed = events.find(({ Action }) => Action === "kill");
  const died = events.find(({ Action }) => Action === "die");
  expect(killed?.Actor.Attributes.signal).toBe("9");
  expect(died?.Actor.Attributes.exitCode).toBe("137");
  const started = events.find(({ Action }) => Action === "start");
  expect(died?.timeNano).toBeGreaterThan(started?.timeNano ?? Infinity);
  const asked = (await client.follow("dev", run)).flatMap((event) =>
    event.kind === "line" && event.text.includes('"msg":"bash"') ? [Date.parse(event.ts)] : [],
  );
  expect((died?.timeNano ?? 0) / 1e6 - (asked[0] ?? 0)).toBeLessThan(2000);
});

test("al-exit ends a run at once, with its code", async () => {
  say({ dev: "al-exit 14; sleep 60", reviewer: "true" });
  const end = await client.ended("dev", await client.trigger("dev"));
  expect(end).toMatchObject({ outcome: "failed", exitCode: 14, detail: "a dependency failed" });
  expect((end.endedAt ?? Infinity) - (end.startedAt ?? 0)).toBeLessThan(15_000);
});

interface DockerEvent {
  readonly Action: string;
  readonly timeNano: number;
  readonly Actor: { readonly Attributes: Readonly<Record<string, string>> };
}

/** What each agent's model does: one bash command, then the end. */
function say(commands: Readonly<Record<keyof typeof INSTRUCTIONS, string>>): void {
  const conversation = (agent: keyof typeof INSTRUCTIONS): ScriptedConversation => {
    const bash = { name: "bash", input: { command: commands[agent] } };
    return { when: INSTRUCTIONS[agent], turns: [{ toolCalls: [bash] }, { text: "done" }] };
  };
  model.use([conversation("dev"), conversation("reviewer")]);
}

/** Everything that an agent's model has heard in its latest request. */
function heard(agent: keyof typeof INSTRUCTIONS): string {
  const requests = model.requests.filter(({ system }) => system.includes(INSTRUCTIONS[agent]));
  return requests.at(-1)?.text ?? "";
}

async function latest(agent: string): Promise<RunAnswer | undefined> {
  return (await client.runs()).find((run) => run.agent === agent);
}

function isOver({ state }: RunAnswer): boolean {
  return state === "finished";
}
