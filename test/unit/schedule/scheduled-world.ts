import type { ReleasedAgent } from "../../../src/core/released.ts";
import { agent, createWorld, release } from "./harness.ts";

/** A world from 00:00 on with one agent, whose schedule is `0 * * * *` unless told. */
export function scheduled(more: Partial<ReleasedAgent> = {}) {
  const world = createWorld();
  const set = (changed: Partial<ReleasedAgent> = {}) => {
    world.release = release([agent("dev", { schedule: "0 * * * *", ...more, ...changed })]);
  };
  set();
  const open = async () => {
    const scheduler = world.open();
    await scheduler.start();
    return scheduler;
  };
  /** When runs were accepted: `09:30`. */
  const times = async () => {
    const runs = [...(await world.store.list({ limit: 1000 }))].reverse();
    return runs.map(({ createdAt }) => new Date(createdAt).toISOString().slice(11, 16));
  };
  const missed = () =>
    world.warnings
      .filter(({ message }) => message.startsWith("scheduled runs were missed"))
      .map(({ fields }) => fields.missed);
  return { world, set, open, times, missed };
}
