import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import { networkIn } from "../../../src/core/subnet.ts";
import { readOwnCurrent, untilNamed, watchName } from "../../../src/runtime/name-watch.ts";
import { takeRuntimeLock } from "../../../src/runtime/runtime-lock.ts";
import { noteStopped, readStopped } from "../../../src/runtime/stopped-file.ts";
import { openLocal } from "../../../src/transport/local.ts";

let projectDir: string;
let abort: AbortController;
beforeEach(async () => {
  projectDir = await mkdtemp(join(tmpdir(), "al-name-"));
  abort = new AbortController();
});
afterEach(async () => {
  abort.abort();
  await rm(projectDir, { recursive: true, force: true });
});

const watch = () => ({
  ...{ projectDir, runtimeName: "me", clock: systemClock, logger: silentLogger },
  signal: abort.signal,
});

function current(runtime: string, revision = "r1"): string {
  const network = networkIn("p", "10.213.1.0/24");
  const hash = "0".repeat(64);
  const shared = { project: "p", host: "h", revision, release: hash, credentials: hash };
  return JSON.stringify({ ...shared, runtime, network });
}

const write = (text: string) => writeFile(join(projectDir, "current.json"), text);

describe("the name in current.json", () => {
  it("counts only when it is one's own", async () => {
    expect(await readOwnCurrent(watch())).toBeUndefined();
    await write(current("other"));
    expect(await readOwnCurrent(watch())).toBeUndefined();
    await write(current("me"));
    expect(await readOwnCurrent(watch())).toMatchObject({ runtime: "me", host: "h" });
    await write("{");
    await expect(readOwnCurrent(watch())).rejects.toMatchObject({ code: "current-unreadable" });
  });

  it("counts for nothing while an operator keeps it stopped", async () => {
    await write(current("me"));
    const marker = join(projectDir, "stopped.json");
    await writeFile(marker, "");
    expect(await readOwnCurrent(watch())).toBeUndefined();
    await rm(marker);
    let changes = 0;
    await watchName(watch(), async () => {
      changes += 1;
      const transport = openLocal({ host: "h" });
      await noteStopped(transport, projectDir, { since: 5, by: "ann@laptop" });
      await noteStopped(transport, projectDir, { since: 6 });
      await transport.close();
    });
    expect(changes).toBe(1);
    expect(await readStopped(projectDir)).toEqual({ since: 5, by: "ann@laptop" });
    expect((await stat(marker)).mode & 0o777).toBe(0o600);
  });

  it("may appear while it is waited for, or not", async () => {
    expect(await untilNamed(watch(), 50)).toBeUndefined();
    const named = untilNamed(watch(), 5000);
    await write(current("me"));
    expect(await named).toMatchObject({ runtime: "me" });
  });

  it("is followed through changes until it is another's", async () => {
    await write(current("me"));
    const seen: string[] = [];
    const watched = watchName(watch(), async ({ revision }) => {
      seen.push(revision);
      await write(revision === "r1" ? current("me", "r2") : current("other"));
    });
    await watched;
    expect(seen).toEqual(["r1", "r2"]);
  });
});

describe("the runtime lock", () => {
  const wanted = async () => true;

  it("is held by one at a time", async () => {
    const release = await takeRuntimeLock(projectDir, { clock: systemClock, wanted });
    let taken = false;
    const second = takeRuntimeLock(projectDir, { clock: systemClock, wanted }).then((give) => {
      taken = true;
      return give;
    });
    await systemClock.sleep(250);
    expect(taken).toBe(false);
    release?.();
    (await second)?.();
    expect(taken).toBe(true);
  });

  it("is not waited for any longer than it is wanted", async () => {
    const release = await takeRuntimeLock(projectDir, { clock: systemClock, wanted });
    let asked = 0;
    const limited = async () => {
      asked += 1;
      return asked < 3;
    };
    const options = { clock: systemClock, wanted: limited };
    expect(await takeRuntimeLock(projectDir, options)).toBeUndefined();
    release?.();
  });
});
