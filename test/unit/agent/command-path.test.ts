import { chmod, cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bash, EntryHarness, inputFor } from "./entry-harness.ts";

let harness: EntryHarness;
beforeAll(async () => {
  harness = await EntryHarness.create();
});
afterAll(() => harness.dispose());

test("commands that an image has in /app/bin only are found, after its own", async () => {
  const server = await harness.serve([
    { turns: [bash("al-hello; al-status not-echoed"), { text: "ok" }] },
  ]);
  const root = await harness.root(inputFor(server));
  for (const name of ["al-hello", "al-status"]) {
    await cp("/bin/echo", join(root, "app/bin", name));
    await chmod(join(root, "app/bin", name), 0o755);
  }
  const run = await harness.run(root);
  expect(run.code).toBe(0);
  expect(server.requests.at(-1)?.text).toContain('{"ok":true}');
});
