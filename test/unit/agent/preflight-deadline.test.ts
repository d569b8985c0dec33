import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { runPreflight } from "../../../src/agent/preflight.ts";
import { createRunLog } from "../../../src/agent/run-log.ts";
import { Stop } from "../../../src/agent/stop.ts";
import { temporaryDirectory } from "../git/git-fixture.ts";

test("a step that takes longer than it may is killed and named", async () => {
  const tmp = temporaryDirectory();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const log = createRunLog(() => {}, Date.now);
  const params = { command: "echo $$ > new; mv new pid; sleep 35; true" };
  const steps = [{ provider: "shell", required: true, params }] as const;
  const env = { get: () => undefined };
  const failure = expect(runPreflight(steps, { tmp, env, log, stop: new Stop() })).rejects;
  const named = failure.toThrow(
    "preflight step 1 (shell) failed: shell: no result after 600000 ms",
  );
  await expect.poll(() => existsSync(join(tmp, "pid")), { timeout: 10_000 }).toBe(true);
  const pid = Number(await readFile(join(tmp, "pid"), "utf8"));
  await vi.advanceTimersByTimeAsync(600_000);
  await named;
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
});
