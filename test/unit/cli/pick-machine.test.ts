import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { pickMachine } from "../../../src/cli/pick-machine.ts";
import { vultrRig } from "../../vultr/rig.ts";

const [ENTER, DOWN, CTRL_C, BACKSPACE] = ["\r", "\u001b[B", "\u0003", "\u007f"];
/** A region in which nothing is sold. */
const CLOSED = { id: "nrt", city: "Tokyo", country: "JP" };

/** Types one thing after another, each when the question before it was answered. */
async function pick(typed: readonly string[], rig = vultrRig()) {
  const provider = rig.provider();
  const sold = await provider.catalogue();
  const deps = {
    catalogue: { ...sold, regions: [...sold.regions, CLOSED] },
    taken: ["web-1"],
    check: provider.checkChoice,
  };
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = "";
  output.on("data", (chunk) => {
    shown += chunk;
  });
  const picked = pickMachine(deps, { input, output });
  for (const keys of typed) {
    await delay(30);
    input.write(keys);
  }
  return { picked: await picked, shown };
}

test("a host is picked from what is sold, by searching for it", async () => {
  const { picked, shown } = await pick([
    "web-2",
    ENTER,
    "frank",
    ENTER,
    "2c-4gb",
    ENTER,
    DOWN,
    ENTER,
  ]);
  expect(picked).toEqual({ name: "web-2", region: "fra", plan: "vc2-2c-4gb", os: "debian-12" });
  expect(shown).toContain("vc2-1c-1gb: 1 CPU, 1024 MB, 25 GB disk, $5.00 a month");
  // That one is only sold elsewhere, and there nothing at all.
  expect(shown).not.toContain("vhf-8c-32gb");
  expect(shown).not.toContain("Tokyo");
});

test("of a search that finds nothing, nothing is taken: another one can be tried", async () => {
  const back = BACKSPACE.repeat(4);
  const region = ["mars", ENTER, back, "frank", ENTER];
  const { picked, shown } = await pick(["web-2", ENTER, ...region, "huge", ENTER, CTRL_C]);
  expect(picked).toBeUndefined();
  expect(shown.match(/Choose one\./g)?.length).toBeGreaterThanOrEqual(2);
  expect(shown).toContain("fra: Frankfurt, DE");
});

test("a plan that is sold out is told, and region and plan are asked for again", async () => {
  const rig = vultrRig();
  rig.standIn.account.switches.soldOut.add("ams vc2-1c-1gb");
  const [first, second] = [
    [ENTER, ENTER, ENTER],
    ["frank", ENTER, ENTER, ENTER],
  ];
  const { picked, shown } = await pick(["web-2", ENTER, ...first, ...second], rig);
  expect(picked).toEqual({ name: "web-2", region: "fra", plan: "vc2-1c-1gb", os: "debian-13" });
  expect(shown).toContain("plan `vc2-1c-1gb` is sold out in region `ams` at the moment");
});

test("what is wrong with more than the choice ends it", async () => {
  const rig = vultrRig();
  rig.standIn.inject({ path: "/availability", does: { kind: "answer", status: 403 } });
  await expect(pick(["web-2", ENTER, ENTER, ENTER, ENTER], rig)).rejects.toMatchObject({
    code: "provider-key-refused",
  });
});

test("a name that is taken is asked for again", async () => {
  const { picked, shown } = await pick(["web-1", ENTER, "0", ENTER, ENTER, ENTER, ENTER]);
  expect(picked).toMatchObject({ name: "web-10", region: "ams", os: "debian-13" });
  expect(shown).toContain("A host of this name is in fleet.toml.");
});

test("it can be left at any question", async () => {
  expect((await pick([CTRL_C])).picked).toBeUndefined();
  expect((await pick(["web-2", ENTER, CTRL_C])).picked).toBeUndefined();
  expect((await pick(["web-2", ENTER, ENTER, ENTER, CTRL_C])).picked).toBeUndefined();
});
