import { afterEach, beforeEach, expect, it } from "vitest";
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
    body: { locks: [{ resourceKey, holder, heldSince, expiresAt: heldSince + 1_800_000 }] },
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
