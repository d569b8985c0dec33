import { mkdtemp, open, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { endWithMount } from "../../../src/runtime/mount-watch.ts";

afterEach(() => vi.useRealTimers());

test("a program ends when its mounted directory was removed, seen twice", async () => {
  const exited = vi.spyOn(process, "exit").mockImplementation((() => undefined) as never);
  const directory = await mkdtemp(join(tmpdir(), "al-mount-"));
  const opened = await open(directory);
  try {
    vi.useFakeTimers();
    // Still there after its removal, as a mount of it is.
    endWithMount(`/proc/self/fd/${opened.fd}`);
    vi.advanceTimersByTime(60_000);
    expect(exited).not.toHaveBeenCalled();
    await rmdir(directory);
    vi.advanceTimersByTime(5000);
    expect(exited).not.toHaveBeenCalled();
    vi.advanceTimersByTime(5000);
    expect(exited).toHaveBeenCalledExactlyOnceWith(1);
  } finally {
    vi.clearAllTimers();
    await opened.close();
  }
});
