import { afterEach, beforeEach, expect, it } from "vitest";
import { settle } from "../schedule/simulated-clock.ts";
import { GatewayWorld, type LiveRun } from "./gateway-world.ts";

const resourceKey = "github issue acme/app#42";

let world: GatewayWorld;
let dev: LiveRun;
let reviewer: LiveRun;
beforeEach(async () => {
  world = await GatewayWorld.create();
  dev = await world.run("dev");
  reviewer = await world.run("reviewer");
});
afterEach(() => world.dispose());

const acquire = (run: LiveRun, more: object = {}) =>
  world.post("/locks/acquire", { secret: run.secret, resourceKey, ...more });
const give = (run: LiveRun, more: object = {}) =>
  world.post("/locks/release", { secret: run.secret, resourceKey, ...more });
const beat = (run: LiveRun, more: object = {}) =>
  world.post("/locks/heartbeat", { secret: run.secret, resourceKey, ...more });

it("gives a lock to one run, and tells the other who has it since when", async () => {
  const heldSince = world.world.clock.now();
  const holder = `dev/${dev.id}`;
  expect(await acquire(dev)).toEqual({ status: 200, body: { ok: true, resourceKey } });
  const taken = { status: 409, body: { ok: false, holder, heldSince } };
  expect(await acquire(reviewer)).toEqual(taken);
  expect(await world.get(`/locks/list?secret=${reviewer.secret}`)).toEqual({
    status: 200,
    body: {
      locks: [{ resourceKey, holder, heldSince, expiresAt: heldSince + 1_800_000, waiting: 0 }],
    },
  });
  expect(await give(dev)).toEqual({ status: 200, body: { ok: true } });
  expect((await acquire(reviewer)).status).toBe(200);
});

it("gives a run one lock only, and the same one as often as it asks", async () => {
  await acquire(dev);
  expect((await acquire(dev)).status).toBe(200);
  expect(await acquire(dev, { resourceKey: "other" })).toEqual({
    status: 409,
    body: { ok: false, reason: expect.stringContaining(resourceKey) },
  });
});

it("tells a run that it does not hold what it gives back or keeps", async () => {
  for (const answer of [await give(dev), await beat(dev)]) {
    expect(answer).toEqual({ status: 404, body: { ok: false, reason: expect.any(String) } });
  }
  await acquire(reviewer);
  for (const answer of [await give(dev), await beat(dev)]) {
    const reason = `the lock is held by reviewer/${reviewer.id}`;
    expect(answer).toEqual({ status: 409, body: { ok: false, reason } });
  }
});

it("keeps a lock for ttl seconds, from the last heartbeat on", async () => {
  const { clock } = world.world;
  await acquire(dev, { ttl: 10 });
  await clock.advance(9000);
  const expiresAt = clock.now() + 20_000;
  expect(await beat(dev, { ttl: 20 })).toEqual({ status: 200, body: { ok: true, expiresAt } });
  await clock.advance(19_999);
  expect((await acquire(reviewer)).status).toBe(409);
  await clock.advance(1);
  expect((await acquire(reviewer)).status).toBe(200);
});

const wrongWait = { error: "wait must be a number of seconds, from 0 to 300" };
it.each([-1, 301, "10", [1]])("refuses to wait for %j seconds", async (wait) => {
  expect(await acquire(dev, { wait })).toEqual({ status: 400, body: wrongWait });
});

const wrongTtl = expect.stringContaining("ttl must be a number of seconds");
const wrong: readonly (readonly [object, unknown])[] = [
  [{ resourceKey: undefined }, "missing resourceKey"],
  [{ resourceKey: "" }, "missing resourceKey"],
  [{ resourceKey: 7 }, "resourceKey must be a string"],
  [{ resourceKey: "x".repeat(1001) }, "resourceKey is longer than 1000 characters"],
  ...[0, -1, "10", 1e9].map((ttl) => [{ ttl }, wrongTtl] as const),
];
it.each(wrong)("refuses %j", async (more, error) => {
  expect(await acquire(dev, more)).toEqual({ status: 400, body: { error } });
});

it.each([0, 1, 42, 137])("frees the lock of a run that ends with code %i", async (code) => {
  await acquire(dev);
  await world.end(dev.id, code);
  expect((await acquire(reviewer)).status).toBe(200);
});

it("keeps locks over a restart of the runtime, also past the time it was down", async () => {
  await acquire(dev);
  await world.down();
  await world.world.clock.advance(60_000);
  await world.up();
  expect((await acquire(reviewer)).status).toBe(409);
  expect((await beat(dev)).status).toBe(200);
  expect((await give(dev)).status).toBe(200);
  expect((await acquire(reviewer)).status).toBe(200);
});

it("frees the lock of a run that ended while the runtime was down", async () => {
  await acquire(dev);
  await world.down();
  world.world.engine.end(`run-${dev.id}`, 0);
  await world.up();
  await expect.poll(async () => (await acquire(reviewer)).status).toBe(200);
});

it("gives one of many runs that ask at once a lock", async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => acquire(n % 2 === 0 ? dev : reviewer)),
  );
  const holders = new Set(answers.flatMap(({ status }, n) => (status === 200 ? [n % 2] : [])));
  expect(holders.size).toBe(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(10);
});

const waiting = async () => (await world.ports.locks.list()).map((lock) => lock.waiting);
const inLine = async (count: number) => {
  while ((await waiting())[0] !== count) await settle();
};

it("has a run wait for a lock until it is given back, and tells how many wait", async () => {
  await acquire(dev);
  const waits = acquire(reviewer, { wait: 300 });
  await inLine(1);
  await give(dev);
  expect(await waits).toEqual({ status: 200, body: { ok: true, resourceKey } });
  expect((await acquire(dev)).body).toMatchObject({ holder: `reviewer/${reviewer.id}` });
});

it("refuses when the time to wait is over, as without waiting", async () => {
  const { clock } = world.world;
  const heldSince = clock.now();
  await acquire(dev);
  const waits = acquire(reviewer, { wait: 10 });
  await inLine(1);
  await clock.advance(10_000);
  const body = { ok: false, holder: `dev/${dev.id}`, heldSince };
  expect(await waits).toEqual({ status: 409, body });
  expect(await waiting()).toEqual([0]);
});

it("forgets whoever goes away while it waits", async () => {
  const tester = await world.run("tester");
  await acquire(dev);
  const gone = new AbortController();
  const request = world.post(
    "/locks/acquire",
    { secret: reviewer.secret, resourceKey, wait: 300 },
    { signal: gone.signal },
  );
  await inLine(1);
  const next = acquire(tester, { wait: 300 });
  await inLine(2);
  gone.abort();
  await expect(request).rejects.toThrow();
  await inLine(1);
  await give(dev);
  expect((await next).status).toBe(200);
});

it("lets go of a run that ends while it waits, and passes its lock on when the holder ends", async () => {
  const tester = await world.run("tester");
  await acquire(dev);
  const ending = acquire(reviewer, { wait: 300 });
  await inLine(1);
  const next = acquire(tester, { wait: 300 });
  await inLine(2);
  await world.end(reviewer.id);
  expect(await ending).toEqual({ status: 403, body: { error: "invalid secret" } });
  await world.end(dev.id, 1);
  expect((await next).status).toBe(200);
});

it("answers 503 to those who wait when the runtime ends, and they may come back", async () => {
  await acquire(dev);
  const waits = acquire(reviewer, { wait: 300 });
  await inLine(1);
  await world.down();
  expect((await waits).status).toBe(503);
  await world.up();
  const again = acquire(reviewer, { wait: 300 });
  await inLine(1);
  await give(dev);
  expect((await again).status).toBe(200);
});
