import { afterAll, beforeAll, expect, test } from "vitest";
import { writeSampleProject } from "../world/sample-project.ts";
import { alOnTerminal } from "../world/terminal.ts";
import { createWorld, type World } from "../world/world.ts";

const PROJECT = "interactive";
const KEY_QUESTION = "the key of host one";
const GRANT_QUESTION = "have credential anthropic_key:default on host one?";

let world: World;

beforeAll(async () => {
  world = await createWorld("interactive", () => {});
  const { address, port } = world.host;
  await writeSampleProject(world.copy, {
    project: PROJECT,
    baseImage: world.lab.baseImage,
    host: { name: "one", address, port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: "http://127.0.0.1:9" },
  });
  await world.copy.commit("first");
  await world.copy.push();
});

afterAll(async () => world?.remove(PROJECT));

const on = (command: string) => ["-p", world.bare, command];

test("an apply on a terminal shows the host's fingerprint, and a no ends it with nothing done", async () => {
  const answers = [{ to: KEY_QUESTION, type: "n" }];
  const { code, screen } = await alOnTerminal(on("apply"), answers, world.options);
  expect(code).toBe(1);
  expect(screen).toContain(world.host.hostKeyFingerprint);
  expect((await world.host.exec(["ls", "-A", "/home/deploy"])).stdout).not.toContain(
    ".action-llama",
  );
});

test("an approve on a terminal asks about all that waits and remembers every yes", async () => {
  const answers = [
    { to: KEY_QUESTION, type: "y" },
    { to: GRANT_QUESTION, type: "y" },
  ];
  const { code } = await alOnTerminal(on("approve"), answers, world.options);
  expect(code).toBe(0);
  const left = await world.al("approve");
  expect(left).toMatchObject({ code: 0, stdout: "nothing waits for approval" });
});
