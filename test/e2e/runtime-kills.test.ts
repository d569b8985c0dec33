import { expect, test } from "vitest";
import { buildProject } from "../../src/build.ts";
import { measureKills } from "../bench/kills.ts";

/** `npm run bench -- kills` does it two hundred times. */
const KILLS = 8;

test("a runtime that is killed again and again under load loses nothing and runs nothing twice", async () => {
  await buildProject();
  const { promised, lost, twice, strange } = await measureKills({ kills: KILLS, seed: Date.now() });
  expect({ lost, twice, strange }).toEqual({ lost: [], twice: [], strange: [] });
  expect(Math.min(...Object.values(promised))).toBeGreaterThan(0);
}, 300_000);
