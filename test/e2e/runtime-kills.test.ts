import { expect, test } from "vitest";
import { buildProject } from "../../src/build.ts";
import { measureKills } from "../bench/kills.ts";

/** `npm run bench -- kills` does it two hundred times. */
const KILLS = 8;

test("a runtime that is killed again and again under load loses nothing and runs nothing twice", async () => {
  await buildProject();
  const seed = Date.now();
  const { promised, lost, twice, strange } = await measureKills({ kills: KILLS, seed });
  const drawn = `drawn from seed ${seed}`;
  expect({ lost, twice, strange }, drawn).toEqual({ lost: [], twice: [], strange: [] });
  expect(Math.min(...Object.values(promised)), drawn).toBeGreaterThan(0);
}, 300_000);
