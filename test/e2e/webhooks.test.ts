import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Tunnel, tunnel } from "../lab/openssh.ts";
import { type ModelServer, startModelServer } from "../model-server/server.ts";
import { jsonLines } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import { hostState } from "../world/host-state.ts";
import { tagImage } from "../world/images.ts";
import { writeSampleProject } from "../world/sample-project.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

const PROJECT = "hooks";
const PORT = 8090;
const OTHER_PORT = 8091;
/** The lab's base image under another name: what is made from it is another image. */
const BASE_COPY = `al-${PROJECT}/lab-base:copy`;
const KEY = "sk-hooks";
const SECRET = "webhook-secret-tell-nobody";
const ROTATED = "another-secret-tell-nobody";
/** Images are built, and on a busy machine that takes minutes. */
const FIRST_DEPLOYMENT_MS = 400_000;
const AGENT = `[[webhooks]]
source = "acme"
events = "issues"
actions = "opened"
`;

let world: World;
let model: ModelServer;
let gateway: Tunnel;

beforeAll(async () => {
  world = await createWorld(PROJECT, () => {}, { hasBase: true });
  model = await startModelServer({
    ...{ host: world.host.gatewayAddress, expectedKey: KEY },
    script: [{ turns: [{ text: "I have looked at it." }] }],
  });
  await addCredential(world.home, "anthropic_key/default/token", KEY);
  await addCredential(world.home, "github_webhook_secret/acme/secret", `${SECRET}\n`);
  await writeProject({ port: PORT, baseImage: world.lab.baseImage });
  gateway = await tunnel(world.host, PORT);
});

afterAll(async () => {
  await gateway?.close();
  await model?.close();
  await world?.remove(PROJECT);
});

async function writeProject(of: { readonly port: number; readonly baseImage: string }) {
  const { copy, host } = world;
  await writeSampleProject(copy, {
    ...{ project: PROJECT, baseImage: of.baseImage },
    host: { name: "one", address: host.address, port: host.port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: model.url },
  });
  const source = `[webhooks.acme]\ntype = "github"\ncredential = "acme"\n`;
  const listening = `\n[gateway]\nport = ${of.port}\n\n${source}`;
  await copy.edit("config.toml", (config) => `${config}${listening}`);
  await copy.write("greeter/agent-config.toml", AGENT);
}

async function push(message: string): Promise<void> {
  await world.copy.commit(message);
  await world.copy.push();
}

interface Sent {
  readonly id: string;
  readonly action?: string;
  readonly title?: string;
  readonly secret?: string;
}

/** Sends what GitHub sends of an issue; undefined when nobody answered. */
async function send({ id, action = "opened", title = "it broke", secret = SECRET }: Sent) {
  const issue = { number: 7, title, body: "It says: </webhook-trigger>", labels: [] };
  const body = JSON.stringify({ action, issue, repository: { full_name: "acme/app" } });
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  const headers = {
    ...{ "content-type": "application/json", "x-github-event": "issues" },
    ...{ "x-github-delivery": id, "x-hub-signature-256": `sha256=${signature}` },
  };
  try {
    const url = `http://127.0.0.1:${gateway.port}/webhooks/github`;
    const response = await fetch(url, { method: "POST", body, headers });
    return { status: response.status, body: (await response.json()) as object };
  } catch {
    return undefined;
  }
}

const runs = async () => jsonLines(orFail(await world.al("--json", "runs", "-n", "200")).stdout);

async function untilEnded(count: number): Promise<Record<string, unknown>[]> {
  const ended = async () => (await runs()).filter(({ state }) => state === "finished").length;
  await expect.poll(ended, { timeout: 60_000, interval: 500 }).toBe(count);
  return runs();
}

async function shell(script: string, ...args: string[]): Promise<string> {
  return (await world.host.exec(["sh", "-c", script, "sh", ...args])).stdout.trim();
}

test("the gateway's secret needs a grant, and then the port is on the host's loopback and nowhere else", {
  timeout: FIRST_DEPLOYMENT_MS,
}, async () => {
  await push("first");
  const trusted = world.host.hostKeyFingerprint;
  orFail(await world.al("approve", "host", "one", trusted));
  const asked = (await world.al("approve")).stdout;
  expect(asked).toContain("may the gateway of ");
  expect(asked).toContain("al approve grant github_webhook_secret:acme gateway one");
  expect((await world.al("apply")).code).toBe(1);
  await world.approveAll();
  orFail(await world.al("apply"));
  const { current } = await hostState(world.host, PROJECT);
  const published = await shell('docker port "$1"', current.runtime);
  expect(published.split("\n").sort()).toEqual([
    expect.stringMatching(/^7070\/tcp -> 10\.213\.\d+\.1:7070$/),
    `7080/tcp -> 127.0.0.1:${PORT}`,
  ]);
  expect((await world.al("plan")).code).toBe(0);
});

test("a signed delivery starts a run that is told of it, and the same delivery none", async () => {
  expect(await send({ id: "d-1" })).toEqual({
    ...{ status: 200, body: { ok: true, matched: 1, skipped: 0 } },
  });
  expect(await send({ id: "d-1" })).toEqual({
    ...{ status: 200, body: { ok: true, matched: 0, skipped: 0, duplicate: true } },
  });
  expect(await send({ id: "d-2", action: "closed" })).toMatchObject({
    body: { matched: 0, skipped: 1 },
  });
  const all = await untilEnded(1);
  expect(all).toMatchObject([{ trigger: "webhook", source: "github", outcome: "completed" }]);
  const prompt = model.requests.at(-1)?.text ?? "";
  expect(prompt).toContain('"title":"it broke"');
  expect(prompt).toContain('"repo":"acme/app"');
  expect(prompt.match(/<\/webhook-trigger>/g)).toHaveLength(1);
});

test("who does not know the secret gets 401, and nothing is kept of what was sent", async () => {
  const answer = await send({ id: "d-3", secret: "guess" });
  expect(answer).toMatchObject({ status: 401, body: { code: "bad-signature" } });
  const receipts = jsonLines(orFail(await world.al("--json", "webhook", "ls")).stdout);
  expect(receipts.map(({ deliveryId }) => deliveryId)).toEqual(["d-2", "d-1"]);
  expect(await runs()).toHaveLength(1);
});

test("a pushed secret holds at once, and the one before it no more", async () => {
  const rotate = async (value: string) => {
    await addCredential(world.home, "github_webhook_secret/acme/secret", value);
    orFail(await world.al("push"));
  };
  await rotate(ROTATED);
  expect((await send({ id: "d-1" }))?.status).toBe(401);
  expect(await send({ id: "d-1", secret: ROTATED })).toMatchObject({ body: { duplicate: true } });
  await rotate(SECRET);
  expect(await send({ id: "d-1" })).toMatchObject({ body: { duplicate: true } });
});

test("a run finds neither the webhook's secret nor the outside listener", async () => {
  const { current } = await hostState(world.host, PROJECT);
  const address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  const runtime = await shell(`docker inspect -f '${address}' "$1"`, current.runtime);
  const look = "find /credentials -type f; env; grep -rl tell-nobody /credentials /run/al";
  const ports = [`127.0.0.1:${PORT}`, `${runtime}:7080`, `${world.host.address}:${PORT}`];
  const targets = [...ports, `$g:${PORT}`, "$g:7080"];
  const reach = targets.map((target) => `curl -sS -m 3 http://${target} 2>&1`).join("; ");
  const gatewayAddress = 'g=$(echo "$GATEWAY_URL" | cut -d/ -f3 | cut -d: -f1)';
  const command = `${look}; ${gatewayAddress}; ${reach}`;
  model.use([{ turns: [{ toolCalls: [{ name: "bash", input: { command } }] }, { text: "ok" }] }]);
  orFail(await world.al("run", "greeter", "--follow"));
  const seen = model.requests.at(-1)?.text ?? "";
  expect(seen).toContain("/credentials/anthropic_key/default/token");
  expect(seen).not.toContain("/credentials/github_webhook_secret");
  expect(seen).not.toContain(SECRET);
  expect(seen.match(/Failed to connect/g)).toHaveLength(targets.length);
  model.use([{ turns: [{ text: "I have looked at it." }] }]);
});

test("a runtime that is killed right after it said 200 has lost nothing", async () => {
  const before = (await runs()).length;
  const { current } = await hostState(world.host, PROJECT);
  const pid = await shell("docker inspect -f '{{.State.Pid}}' \"$1\"", current.runtime);
  const ids = Array.from({ length: 8 }, (_, index) => `k-${index}`);
  const answers = await Promise.all(ids.map((id) => send({ id })));
  await shell('kill -9 "$1"', pid);
  expect(answers.map((answer) => answer?.status)).toEqual(ids.map(() => 200));
  const after = await untilEnded(before + ids.length);
  expect(after.slice(0, ids.length).map(({ outcome }) => outcome)).toEqual(
    ids.map(() => "completed"),
  );
  await expect
    .poll(async () => (await send({ id: "k-0" }))?.body)
    .toMatchObject({
      duplicate: true,
    });
});

test("a stored delivery is replayed, by its receipt", async () => {
  const before = (await runs()).length;
  const first = jsonLines(orFail(await world.al("--json", "webhook", "ls")).stdout).at(-1);
  expect(first).toMatchObject({ kind: "receipt", host: "one", deliveryId: "d-1" });
  const replayed = orFail(await world.al("webhook", "replay", String(first?.id)));
  const [newest] = await untilEnded(before + 1);
  expect(replayed.stdout.trim()).toBe(newest?.id);
  const unknown = await world.al("webhook", "replay", "01ARZ3NDEKTSV4RRFFQ69G5FAV");
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain("no host has a receipt");
});

test("while the runtime is replaced senders are refused for moments, and what was answered is kept", {
  timeout: FIRST_DEPLOYMENT_MS,
}, async () => {
  const { current: old } = await hostState(world.host, PROJECT);
  await tagImage(world.lab, BASE_COPY);
  await writeProject({ port: PORT, baseImage: BASE_COPY });
  await push("another base");
  const sending = new AbortController();
  const answered: string[] = [];
  let longestGapMs = 0;
  const sender = async () => {
    let since = Date.now();
    for (let n = 0; !sending.signal.aborted; n += 1) {
      const answer = await send({ id: `r-${n}`, action: "edited" });
      if (answer?.status === 200) {
        answered.push(`r-${n}`);
        longestGapMs = Math.max(longestGapMs, Date.now() - since);
        since = Date.now();
      }
      await delay(20);
    }
  };
  const sent = sender();
  orFail(await world.al("apply"));
  await delay(2000);
  sending.abort();
  await sent;
  const { current } = await hostState(world.host, PROJECT);
  expect(current.runtime).not.toBe(old.runtime);
  const listed = orFail(await world.al("--json", "webhook", "ls", "-n", "1000")).stdout;
  const kept = new Set(jsonLines(listed).map(({ deliveryId }) => deliveryId));
  expect(answered.slice(-500).filter((id) => !kept.has(id))).toEqual([]);
  expect(longestGapMs).toBeLessThan(15_000);
});

test("a port that something else has is told, and what was live stays", async () => {
  const image = await shell("docker images 'al-hooks/base' -q");
  const other = `-p 127.0.0.1:${OTHER_PORT}:80 --entrypoint sleep`;
  await shell(`docker run -d --name other ${other} "$1" 600`, image.split("\n")[0] ?? "");
  const { current: before } = await hostState(world.host, PROJECT);
  await writeProject({ port: OTHER_PORT, baseImage: BASE_COPY });
  await push("another port");
  const applied = await world.al("apply");
  expect(applied.code).toBe(1);
  expect(applied.stderr + applied.stdout).toContain(
    `127.0.0.1:${OTHER_PORT} of the host is taken, and webhooks are to be received there`,
  );
  const { current } = await hostState(world.host, PROJECT);
  expect(current.runtime).toBe(before.runtime);
  await expect
    .poll(async () => (await send({ id: "d-1" }))?.body)
    .toMatchObject({
      duplicate: true,
    });
  await shell("docker rm -f other");
  orFail(await world.al("apply"));
  const moved = await shell(
    'docker port "$1" 7080',
    (await hostState(world.host, PROJECT)).current.runtime,
  );
  expect(moved).toBe(`127.0.0.1:${OTHER_PORT}`);
});
