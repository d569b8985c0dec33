import { appendFile, cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { checkoutRoot } from "../lab/names.ts";
import { jsonLines } from "../world/al.ts";
import { orFail } from "../world/world.ts";
import { startWebhookDeployment, type Told, type WebhookDeployment } from "./webhook-deployment.ts";

const PROJECT = "door";
const PORT = 8092;
const DIRECTORY = "/home/deploy/.action-llama/projects/door";
const CONFIG = "workQueueSize = 100000\n\n";
/** Images are built, and on a busy machine that takes minutes. */
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

let on: WebhookDeployment;
/** A newer `al`, whose runtime is another and whose door is the same. */
let newer: string;

beforeAll(async () => {
  on = await startWebhookDeployment(PROJECT, PORT);
  await on.write({ port: PORT, config: CONFIG });
  await on.push("first");
  newer = await mkdtemp(join(tmpdir(), "al-newer-"));
  for (const name of ["dist", "docker", "package.json"]) {
    await cp(join(checkoutRoot, name), join(newer, name), { recursive: true });
  }
  await symlink(join(checkoutRoot, "node_modules"), join(newer, "node_modules"));
  await appendFile(join(newer, "dist/runtime/main.js"), "\n// newer\n");
});

afterAll(async () => {
  await rm(newer, { recursive: true, force: true });
  await on?.close();
});

interface Answer {
  readonly id: string;
  /** Undefined when nobody answered. */
  readonly told: Told | undefined;
  readonly ms: number;
}

/** Sends deliveries, each again until it is accepted, until it is told to stop. */
function keepSending(prefix: string) {
  const answers: Answer[] = [];
  const stopping = new AbortController();
  const sender = async (name: number) => {
    for (let n = 0; !stopping.signal.aborted; n += 1) {
      const id = `${prefix}-${name}-${n}`;
      for (let isAccepted = false; !isAccepted; await delay(150)) {
        const started = performance.now();
        const told = await on.send({ id });
        answers.push({ id, told, ms: performance.now() - started });
        isAccepted = told?.status === 200;
      }
    }
  };
  const senders = [0, 1, 2].map(sender);
  return {
    /** Resolves when all that was sent is accepted. */
    async stop(): Promise<readonly Answer[]> {
      stopping.abort();
      await Promise.all(senders);
      return answers;
    },
  };
}

/** Everybody was answered, and everything accepted is stored with exactly one run. */
async function expectNothingLost(prefix: string, answers: readonly Answer[]): Promise<void> {
  const odd = answers.filter(({ told }) => {
    if (told?.status === 503) return !(Number(told.retryAfter) > 0) || told.body.code === undefined;
    return told?.status !== 200;
  });
  expect(odd).toEqual([]);
  const accepted = answers.filter(({ told }) => told?.status === 200);
  const ids = accepted.map(({ id }) => id);
  expect(ids.length).toBeGreaterThan(10);
  expect(new Set(ids).size).toBe(ids.length);
  const listed = orFail(await on.world.al("--json", "webhook", "ls", "-n", "5000")).stdout;
  const kept = jsonLines(listed).map(({ deliveryId }) => String(deliveryId));
  expect(kept.filter((id) => id.startsWith(prefix)).sort()).toEqual(ids.sort());
  // Each delivery here starts one run of the one agent.
  expect((await on.runs()).length).toBe(kept.length);
  const refused = answers.length - accepted.length;
  const slowest = Math.max(...answers.map(({ ms }) => ms));
  process.stdout.write(
    `${prefix}: ${accepted.length} accepted, ${refused} answered with 503, none refused; slowest ${Math.round(slowest)} ms\n`,
  );
}

async function doorId(): Promise<string> {
  const { door } = await on.live();
  return on.shell("docker inspect -f '{{.Id}} {{.State.StartedAt}}' \"$1\"", door);
}

test("a door is deployed, and has nothing of the host but the runtime's socket", async () => {
  await on.world.approveAll();
  orFail(await on.world.al("apply"));
  const { runtime, door } = await on.live();
  const looked = JSON.parse(await on.shell('docker inspect "$1"', door))[0];
  expect(looked.Mounts).toMatchObject([
    { Source: expect.stringMatching(/\/projects\/door\/door$/), Destination: "/door", RW: false },
  ]);
  expect(looked.HostConfig).toMatchObject({
    ...{ CapDrop: ["ALL"], ReadonlyRootfs: true, GroupAdd: [] },
    SecurityOpt: ["no-new-privileges"],
  });
  expect(looked.Config.User).toMatch(/^1\d+:1\d+$/);
  const socket = await on.shell(`stat -c "%a %F" ${DIRECTORY}/door ${DIRECTORY}/door/*`);
  expect(socket).toBe("700 directory\n600 socket");
  expect(await on.shell('docker port "$1"', door)).toBe(`7080/tcp -> 127.0.0.1:${PORT}`);
  expect(await on.shell('docker port "$1"', runtime)).not.toContain("127.0.0.1");
  await isAccepted("hello");
  // From here on one run is under way and the others wait.
  on.model.use([{ turns: [{ text: "late", delayMs: 600_000 }] }]);
});

test("while the runtime is replaced nobody is refused, and nothing accepted is lost", async () => {
  const before = { ...(await on.live()), id: await doorId() };
  const sending = keepSending("replaced");
  await delay(1000);
  orFail(await on.world.alWith({ ...on.world.options, root: newer }, "apply"));
  await delay(1000);
  const answers = await sending.stop();
  const after = await on.live();
  expect(after.runtime).not.toBe(before.runtime);
  expect(after.door).toBe(before.door);
  expect(await doorId()).toBe(before.id);
  await expectNothingLost("replaced", answers);
});

test("while the runtime is killed again and again nobody is refused, and nothing accepted is lost", async () => {
  const { runtime } = await on.live();
  const id = await doorId();
  const sending = keepSending("killed");
  for (let n = 0; n < 5; n += 1) {
    await delay(1500);
    await on.shell('kill -9 "$(docker inspect -f \'{{.State.Pid}}\' "$1")"', runtime);
  }
  await delay(3000);
  await expectNothingLost("killed", await sending.stop());
  expect(await doorId()).toBe(id);
});

test("while the runtime is stopped senders are told 503, and when it is back it takes up where it was", async () => {
  const { runtime } = await on.live();
  const sending = keepSending("stopped");
  await delay(1000);
  await on.shell('docker stop "$1"', runtime);
  await delay(12_000);
  const asked = performance.now();
  expect(await on.send({ id: "later" })).toMatchObject({
    status: 503,
    retryAfter: "5",
    body: { code: "not-serving", error: expect.any(String), hint: expect.any(String) },
  });
  expect(performance.now() - asked).toBeLessThan(2000);
  await on.shell('docker start "$1"', runtime);
  const answers = await sending.stop();
  await expectNothingLost("stopped", answers);
  expect(answers.some(({ told }) => told?.status === 503)).toBe(true);
});

const isAccepted = (id: string) =>
  expect
    .poll(async () => (await on.send({ id }))?.status, { timeout: 60_000, interval: 200 })
    .toBe(200);

test.each([
  ["was removed", 'docker rm -f "$1"', "the door was removed"],
  ["was stopped", 'docker stop "$1"', "the door is exited"],
  ["was paused", 'docker pause "$1"', "the door is paused"],
  ["has no directory any more", `rm -rf ${DIRECTORY}/door`, "the door sees was removed"],
])("a door that %s is drift, and is put back", async (_what, script, says) => {
  const { door } = await on.live();
  await on.shell(script, door);
  expect((await on.world.al("plan")).stdout).toContain(says);
  orFail(await on.world.al("apply"));
  expect((await on.world.al("plan")).code).toBe(0);
  await isAccepted(says);
});

test("a door whose directory was made anew finds the runtime again by itself", async () => {
  const { runtime } = await on.live();
  await on.shell(`rm -rf ${DIRECTORY}/door && docker restart "$1"`, runtime);
  await isAccepted("anew");
});

test("a runtime that still has the port itself hands it over to a door", async () => {
  const { runtime, door } = await on.live();
  const stateOf = (name: string) => on.shell("docker inspect -f '{{.State.Status}}' \"$1\"", name);
  await on.shell(
    `image=$(docker inspect -f '{{.Config.Image}}' "$1")
    docker rm -f "$1" "$2"
    docker run -d --name al-door-runtime-older --network al-door -p 127.0.0.1:${PORT}:7080 \
      --label action-llama.project=door --label action-llama.role=runtime --entrypoint sleep "$image" 3600
    sed -i 's/'"$1"'/al-door-runtime-older/g; s/"door":"[^"]*",//g' ${DIRECTORY}/current.json ${DIRECTORY}/applied.json`,
    ...[runtime, door],
  );
  expect((await on.world.al("plan")).stdout).toContain("the live runtime holds the port itself");
  orFail(await on.world.al("apply"));
  const live = await on.live();
  expect(live.door).toBe(door);
  expect(await stateOf(live.runtime)).toBe("running");
  await isAccepted("handed-over");
  expect((await on.world.al("plan")).code).toBe(0);
});

test("without an agent that listens the door goes, and with one it comes; the runtime stays", async () => {
  const { runtime, door } = await on.live();
  const started = () => on.shell("docker inspect -f '{{.State.StartedAt}}' \"$1\"", runtime);
  const before = await started();
  await on.world.copy.write("greeter/agent-config.toml", `schedule = "0 5 1 1 *"\n`);
  await on.push("no webhooks");
  orFail(await on.world.al("apply"));
  expect(await on.live()).toEqual({ runtime, door: "" });
  expect(await on.shell("docker ps -a --format '{{.Names}}'")).not.toContain(door);
  expect(await on.send({ id: "nobody" })).toBeUndefined();
  await expect.poll(() => on.shell(`ls ${DIRECTORY}/door`), { timeout: 10_000 }).toBe("");
  await on.write({ port: PORT, config: CONFIG });
  await on.push("webhooks again");
  orFail(await on.world.al("apply"));
  await isAccepted("somebody");
  expect(await on.live()).toEqual({ runtime, door });
  expect(await started()).toBe(before);
});
