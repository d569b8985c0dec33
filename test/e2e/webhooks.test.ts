import { afterAll, beforeAll, expect, test } from "vitest";
import { jsonLines } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import { orFail, type World } from "../world/world.ts";
import {
  GATEWAY_KEY,
  SECRET,
  startWebhookDeployment,
  type WebhookDeployment,
} from "./webhook-deployment.ts";

const PROJECT = "hooks";
const PORT = 8090;
const OTHER_PORT = 8091;
const ROTATED = "another-secret-tell-nobody";
/** Images are built, and on a busy machine that takes minutes. */
const FIRST_DEPLOYMENT_MS = 400_000;

let on: WebhookDeployment;
let world: World;

beforeAll(async () => {
  on = await startWebhookDeployment(PROJECT, PORT);
  world = on.world;
  await on.write({ port: PORT, control: true });
});

afterAll(async () => {
  await on?.close();
});

async function untilEnded(count: number): Promise<readonly Record<string, unknown>[]> {
  const ended = async () => (await on.runs()).filter(({ state }) => state === "finished").length;
  await expect.poll(ended, { timeout: 60_000, interval: 500 }).toBe(count);
  return on.runs();
}

test("the gateway's secret needs a grant, and then the port is on the host's loopback and nowhere else", {
  timeout: FIRST_DEPLOYMENT_MS,
}, async () => {
  await on.push("first");
  const trusted = world.host.hostKeyFingerprint;
  orFail(await world.al("approve", "host", "one", trusted));
  const asked = (await world.al("approve")).stdout;
  expect(asked).toContain("may the gateway of ");
  expect(asked).toContain("al approve grant github_webhook_secret:acme gateway one");
  expect((await world.al("apply")).code).toBe(1);
  await world.approveAll();
  orFail(await world.al("apply"));
  const { runtime, door } = await on.live();
  const published = (name: string) => on.shell('docker port "$1"', name);
  expect(await published(runtime)).toMatch(/^7070\/tcp -> 10\.213\.\d+\.1:7070$/);
  expect(await published(door)).toBe(`7080/tcp -> 127.0.0.1:${PORT}`);
  expect((await world.al("plan")).code).toBe(0);
});

test("a signed delivery starts a run that is told of it, and the same delivery none", async () => {
  expect(await on.send({ id: "d-1" })).toEqual({
    ...{ status: 200, retryAfter: null, body: { ok: true, matched: 1, skipped: 0 } },
  });
  expect(await on.send({ id: "d-1" })).toEqual({
    ...{ status: 200, retryAfter: null },
    body: { ok: true, matched: 0, skipped: 0, duplicate: true },
  });
  expect(await on.send({ id: "d-2", action: "closed" })).toMatchObject({
    body: { matched: 0, skipped: 1 },
  });
  const all = await untilEnded(1);
  expect(all).toMatchObject([{ trigger: "webhook", source: "github", outcome: "completed" }]);
  const prompt = on.model.requests.at(-1)?.text ?? "";
  expect(prompt).toContain('"title":"it broke"');
  expect(prompt).toContain('"repo":"acme/app"');
  expect(prompt.match(/<\/webhook-trigger>/g)).toHaveLength(1);
});

test("who does not know the secret gets 401, and nothing is kept of what was sent", async () => {
  const answer = await on.send({ id: "d-3", secret: "guess" });
  expect(answer).toMatchObject({ status: 401, body: { code: "bad-signature" } });
  const receipts = jsonLines(orFail(await world.al("--json", "webhook", "ls")).stdout);
  expect(receipts.map(({ deliveryId }) => deliveryId)).toEqual(["d-2", "d-1"]);
  expect(await on.runs()).toHaveLength(1);
});

test("a pushed secret holds at once, and the one before it no more", async () => {
  const rotate = async (value: string) => {
    await addCredential(world.home, "github_webhook_secret/acme/secret", value);
    orFail(await world.al("push"));
  };
  await rotate(ROTATED);
  expect((await on.send({ id: "d-1" }))?.status).toBe(401);
  expect(await on.send({ id: "d-1", secret: ROTATED })).toMatchObject({
    body: { duplicate: true },
  });
  await rotate(SECRET);
  expect(await on.send({ id: "d-1" })).toMatchObject({ body: { duplicate: true } });
});

/** A request to the control API from outside. */
function control(path: string, key?: string, method = "GET"): Promise<Response> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return on.outside(path, { method, headers });
}

test("the control API is there for who has the gateway's key, a rotated one at once", async () => {
  const statuses = async (key?: string) => {
    const paths = ["/control/status", "/openapi.json", "/api/logs/scheduler?lines=1"];
    return Promise.all(paths.map(async (path) => (await control(path, key)).status));
  };
  expect(await statuses()).toEqual([401, 401, 401]);
  expect(await statuses("guess")).toEqual([401, 401, 401]);
  expect(await statuses(GATEWAY_KEY)).toEqual([200, 200, 200]);
  const status: unknown = await (await control("/control/status", GATEWAY_KEY)).json();
  expect(status).toMatchObject({ report: { ready: true }, agents: [{ name: "greeter" }] });
  const rotate = async (key: string) => {
    await addCredential(world.home, "gateway_api_key/default/key", key);
    orFail(await world.al("push"));
  };
  await rotate("another-key-tell-nobody");
  expect(await statuses(GATEWAY_KEY)).toEqual([401, 401, 401]);
  expect(await statuses("another-key-tell-nobody")).toEqual([200, 200, 200]);
  await rotate(GATEWAY_KEY);
});

test("what happens is told while it happens, and what is paused waits", async () => {
  const before = (await on.runs()).length;
  const leaving = new AbortController();
  const headers = { authorization: `Bearer ${GATEWAY_KEY}` };
  const { body } = await on.outside("/control/events", { headers, signal: leaving.signal });
  const chunks: string[] = [];
  const told = () => chunks.join("");
  const listening = (async () => {
    for await (const chunk of body ?? []) chunks.push(Buffer.from(chunk).toString());
  })().catch(() => undefined);
  const untilTold = (text: string) => expect.poll(told, { timeout: 30_000 }).toContain(text);
  expect((await control("/control/pause", GATEWAY_KEY, "POST")).status).toBe(200);
  await untilTold('"change":"paused"');
  expect(await on.send({ id: "e-1", title: "tell-nobody" })).toMatchObject({ status: 200 });
  await untilTold('"outcome":"accepted"');
  const waiting: unknown = await (await control("/control/queue", GATEWAY_KEY)).json();
  expect(waiting).toMatchObject({ queue: [{ run: { state: "queued" } }] });
  expect((await control("/control/resume", GATEWAY_KEY, "POST")).status).toBe(200);
  await untilEnded(before + 1);
  await untilTold('"outcome":"completed"');
  leaving.abort();
  await listening;
  expect(told()).not.toContain("tell-nobody");
  const states = [...told().matchAll(/"state":"(\w+)"/g)].map(([, state]) => state);
  expect([...new Set(states)]).toEqual(["queued", "starting", "running", "finished"]);
});

test("the runtime's own log is kept on the host, for its owner only, and holds no secret", async () => {
  const log = orFail(await world.al("logs", "--scheduler")).stdout;
  expect(log).toContain("the runtime is live");
  expect(log).toContain("code=wrong-key");
  expect(log).not.toContain("tell-nobody");
  const last = jsonLines(orFail(await world.al("--json", "logs", "--scheduler", "-n", "2")).stdout);
  expect(last).toMatchObject([1, 2].map(() => ({ kind: "runtime-log", host: "one" })));
  const logs = `/home/deploy/.action-llama/projects/${PROJECT}/logs/.runtime`;
  expect(await on.shell('cd "$1" && stat -c "%a %U %n" . *', logs)).toBe(
    "700 deploy .\n600 deploy 1.log",
  );
});

test("a run finds neither the webhook's secret nor the outside listener", async () => {
  const address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  const door = await on.shell(`docker inspect -f '${address}' "$1"`, (await on.live()).door);
  const look = "find /credentials -type f; env; grep -rl tell-nobody /credentials /run/al";
  const ports = [`127.0.0.1:${PORT}`, `${door}:7080`, `${world.host.address}:${PORT}`];
  const targets = [...ports, `$g:${PORT}`, "$g:7080"];
  const reach = targets.map((target) => `curl -sS -m 3 http://${target} 2>&1`).join("; ");
  const gatewayAddress = 'g=$(echo "$GATEWAY_URL" | cut -d/ -f3 | cut -d: -f1)';
  const command = `${look}; ${gatewayAddress}; ${reach}`;
  on.model.use([
    { turns: [{ toolCalls: [{ name: "bash", input: { command } }] }, { text: "ok" }] },
  ]);
  orFail(await world.al("run", "greeter", "--follow"));
  const seen = on.model.requests.at(-1)?.text ?? "";
  expect(seen).toContain("/credentials/anthropic_key/default/token");
  expect(seen).not.toContain("/credentials/github_webhook_secret");
  expect(seen).not.toContain(SECRET);
  expect(seen.match(/Failed to connect/g)).toHaveLength(targets.length);
  on.model.use([{ turns: [{ text: "I have looked at it." }] }]);
});

test("a runtime that is killed right after it said 200 has lost nothing", async () => {
  const before = (await on.runs()).length;
  const { runtime } = await on.live();
  const pid = await on.shell("docker inspect -f '{{.State.Pid}}' \"$1\"", runtime);
  const ids = Array.from({ length: 8 }, (_, index) => `k-${index}`);
  const answers = await Promise.all(ids.map((id) => on.send({ id })));
  await on.shell('kill -9 "$1"', pid);
  expect(answers.map((answer) => answer?.status)).toEqual(ids.map(() => 200));
  const after = await untilEnded(before + ids.length);
  expect(after.slice(0, ids.length).map(({ outcome }) => outcome)).toEqual(
    ids.map(() => "completed"),
  );
  await expect
    .poll(async () => (await on.send({ id: "k-0" }))?.body)
    .toMatchObject({
      duplicate: true,
    });
});

test("a stored delivery is replayed, by its receipt", async () => {
  const before = (await on.runs()).length;
  const first = jsonLines(orFail(await world.al("--json", "webhook", "ls")).stdout).at(-1);
  expect(first).toMatchObject({ kind: "receipt", host: "one", deliveryId: "d-1" });
  const replayed = orFail(await world.al("webhook", "replay", String(first?.id)));
  const [newest] = await untilEnded(before + 1);
  expect(replayed.stdout.trim()).toBe(newest?.id);
  const unknown = await world.al("webhook", "replay", "01ARZ3NDEKTSV4RRFFQ69G5FAV");
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain("no host has a receipt");
});

test("a port that something else has is told, and what was live stays", async () => {
  const image = await on.shell("docker images 'al-hooks/base' -q");
  const other = `-p 127.0.0.1:${OTHER_PORT}:80 --entrypoint sleep`;
  await on.shell(`docker run -d --name other ${other} "$1" 600`, image.split("\n")[0] ?? "");
  const before = await on.live();
  await on.write({ port: OTHER_PORT, control: true });
  await on.push("another port");
  const applied = await world.al("apply");
  expect(applied.code).toBe(1);
  expect(applied.stderr + applied.stdout).toContain(
    `127.0.0.1:${OTHER_PORT} of the host is taken, and webhooks are to be received there`,
  );
  expect(await on.live()).toEqual(before);
  await expect
    .poll(async () => (await on.send({ id: "d-1" }))?.body)
    .toMatchObject({
      duplicate: true,
    });
  await on.shell("docker rm -f other");
  orFail(await world.al("apply"));
  const { runtime, door } = await on.live();
  expect(runtime).toBe(before.runtime);
  expect(await on.shell('docker port "$1" 7080', door)).toBe(`127.0.0.1:${OTHER_PORT}`);
});
