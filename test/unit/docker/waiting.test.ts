import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { coalesce } from "../../../src/docker/coalesce.ts";
import { Semaphore } from "../../../src/docker/semaphore.ts";

const never = new AbortController().signal;

test("a semaphore never lets more in than its limit, and serves in order", async () => {
  const semaphore = new Semaphore(3);
  const order: number[] = [];
  let inside = 0;
  let most = 0;
  const work = (index: number) =>
    semaphore.run(async () => {
      order.push(index);
      inside += 1;
      most = Math.max(most, inside);
      await delay(1);
      inside -= 1;
    }, never);
  await Promise.all(Array.from({ length: 20 }, (_, index) => work(index)));
  expect(most).toBe(3);
  expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
});

test("who gives up waiting takes no room, and failures give theirs back", async () => {
  const semaphore = new Semaphore(1);
  const giveUp = new AbortController();
  const held = semaphore.run(
    () => delay(20).then(() => Promise.reject(new Error("failed"))),
    never,
  );
  const waiting = semaphore.run(async () => "entered", giveUp.signal);
  giveUp.abort(new Error("changed my mind"));
  await expect(waiting).rejects.toThrow("changed my mind");
  await expect(held).rejects.toThrow("failed");
  expect(await semaphore.run(async () => "next", never)).toBe("next");
});

test("the same work is done once for all who ask at the same time", async () => {
  let runs = 0;
  const owner = {};
  const work = async () => {
    runs += 1;
    await delay(5);
    return runs;
  };
  const ask = () => coalesce({ owner, name: "build", signal: undefined }, work);
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
  expect(await ask()).toBe(2);
});

test("when the one who does the work gives up, another takes over; its failure is everyone's", async () => {
  const owner = {};
  const giveUp = new AbortController();
  const first = coalesce({ owner, name: "x", signal: giveUp.signal }, async () => {
    await delay(1_000, undefined, { signal: giveUp.signal });
    return "first";
  });
  const second = coalesce({ owner, name: "x", signal: undefined }, async () => "second");
  giveUp.abort();
  await expect(first).rejects.toThrow();
  expect(await second).toBe("second");

  const failing = coalesce({ owner, name: "y", signal: undefined }, async () => {
    await delay(1);
    throw new Error("broken");
  });
  const joined = coalesce({ owner, name: "y", signal: undefined }, async () => "unused");
  await expect(failing).rejects.toThrow("broken");
  await expect(joined).rejects.toThrow("broken");
});
