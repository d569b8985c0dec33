import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { liveGatewayKey } from "../../../src/runtime/live-gateway-key.ts";
import { release } from "../schedule/harness.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-key-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function put(set: string, key: string): Promise<void> {
  const path = join(directory, "credentials", set, "gateway_api_key/default/key");
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, key);
}

test("the key is the live credential set's, whichever that is at the moment", async () => {
  await put("one", "first\n");
  await put("two", "second\n");
  let live = { ...release([]), credentials: "one" };
  const key = liveGatewayKey(directory, { current: async () => live });
  expect((await key.current())?.reveal()).toBe("first");
  live = { ...live, credentials: "two" };
  expect((await key.current())?.reveal()).toBe("second");
  live = { ...live, credentials: "without" };
  expect(await key.current()).toBeUndefined();
});

test("there is none where nothing is live", async () => {
  const key = liveGatewayKey(directory, { current: async () => undefined });
  expect(await key.current()).toBeUndefined();
});
