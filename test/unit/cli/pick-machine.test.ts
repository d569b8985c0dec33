import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { pickMachine } from "../../../src/cli/pick-machine.ts";
import { vultrRig } from "../../vultr/rig.ts";

const [ENTER, DOWN, CTRL_C] = ["\r", "\u001b[B", "\u0003"];

/** Types one thing after another, each when the question before it was answered. */
async function pick(...typed: readonly string[]) {
  const catalogue = await vultrRig().provider().catalogue();
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = "";
  output.on("data", (chunk) => {
    shown += chunk;
  });
  const picked = pickMachine(catalogue, ["web-1"], { input, output });
  for (const keys of typed) {
    await delay(30);
    input.write(keys);
  }
  return { picked: await picked, shown };
}

test("a host is picked from what is sold, by searching for it", async () => {
  const { picked, shown } = await pick(
    "web-2",
    ENTER,
    "frank",
    ENTER,
    "2c-4gb",
    ENTER,
    DOWN,
    ENTER,
  );
  expect(picked).toEqual({ name: "web-2", region: "fra", plan: "vc2-2c-4gb", os: "debian-12" });
  expect(shown).toContain("vc2-1c-1gb: 1 CPU, 1024 MB, 25 GB disk, $5.00 a month");
  // That one is only sold elsewhere.
  expect(shown).not.toContain("vhf-8c-32gb");
});

test("a name that is taken is asked for again", async () => {
  const { picked, shown } = await pick("web-1", ENTER, "0", ENTER, ENTER, ENTER, ENTER);
  expect(picked).toMatchObject({ name: "web-10", region: "ams", os: "debian-13" });
  expect(shown).toContain("A host of this name is in fleet.toml.");
});

test("it can be left at any question", async () => {
  expect((await pick(CTRL_C)).picked).toBeUndefined();
  expect((await pick("web-2", ENTER, CTRL_C)).picked).toBeUndefined();
  expect((await pick("web-2", ENTER, ENTER, ENTER, CTRL_C)).picked).toBeUndefined();
});
