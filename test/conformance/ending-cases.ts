import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { ExecOptions, Transport } from "../../src/transport/transport.ts";
import { startEchoServer } from "./echo-server.ts";
import { expectGone, newMarker } from "./probes.ts";

/** Deadlines and aborts. */
export function endingCommands(use: () => Transport): void {
  const hold = (marker: string) => ["sh", "-c", `sleep 300 & sleep 300; : ${marker}`];

  test("a deadline rejects in time and really ends the command with its children", async () => {
    const marker = newMarker();
    await expectTimeout(use(), hold(marker), { timeoutMs: 300 });
    await expectGone(use(), marker);
  });

  test("a command that ignores TERM and its closed input is killed", async () => {
    const marker = newMarker();
    const stubborn = `trap '' TERM HUP PIPE; while :; do sleep 1; : ${marker}; done`;
    await expectTimeout(use(), ["sh", "-c", stubborn], { timeoutMs: 300 });
    await expectGone(use(), marker);
  });

  test("an abort rejects with its reason and really ends the command", async () => {
    const marker = newMarker();
    const controller = new AbortController();
    const call = use().exec(hold(marker), { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("changed my mind")), 300);
    await expect(call).rejects.toThrow("changed my mind");
    await expectGone(use(), marker);
  });

  test("nothing is started for a signal that was aborted before", async () => {
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(use().exec(["true"], { signal })).rejects.toThrow("too late");
    await expect(use().spawn(["true"], { signal })).rejects.toThrow("too late");
    await expect(use().forwardUnix("/x", { signal })).rejects.toThrow("too late");
  });

  test("many aborted commands at once leave the transport usable", async () => {
    const marker = newMarker();
    const calls = Array.from({ length: 20 }, () =>
      use()
        .exec(hold(marker), { timeoutMs: 400 })
        .catch((error: { code?: string }) => error.code),
    );
    expect(new Set(await Promise.all(calls))).toEqual(new Set(["timeout"]));
    expect((await use().exec(["echo", "alive"])).stdout.toString()).toBe("alive\n");
    await expectGone(use(), marker);
  });
}

/** The end of the whole connection, asked for by us. */
export function closing(makeTransport: () => Promise<Transport>): void {
  test("close ends what runs, rejects what waits, and may be repeated", async () => {
    const [transport, observer] = await Promise.all([makeTransport(), makeTransport()]);
    try {
      const marker = newMarker();
      const echo = await startEchoServer(observer);
      const stream = await transport.forwardUnix(echo.path);
      const broken = once(stream, "error");
      const running = await transport.spawn(["sh", "-c", `sleep 300; : ${marker}`]);
      const call = transport.exec(["sleep", "300"]);
      const lost = { code: "connection-lost" };
      const rejected = Promise.all([
        expect(running.exited).rejects.toMatchObject(lost),
        expect(call).rejects.toMatchObject(lost),
        expect(broken).resolves.toMatchObject([lost]),
      ]);
      const began = performance.now();
      await Promise.all([transport.close(), transport.close()]);
      expect(performance.now() - began).toBeLessThan(2500);
      await rejected;
      await expectGone(observer, marker);
      await expect(transport.exec(["true"])).rejects.toMatchObject(lost);
      await expect(transport.forwardUnix("/x")).rejects.toMatchObject(lost);
      expect(await Promise.race([transport.lost, delay(50, "not lost")])).toBe("not lost");
      await echo.stop();
    } finally {
      await observer.close();
    }
  });
}

async function expectTimeout(transport: Transport, argv: string[], options: ExecOptions) {
  const began = performance.now();
  await expect(transport.exec(argv, options)).rejects.toMatchObject({
    code: "timeout",
    blame: "transient",
  });
  expect(performance.now() - began).toBeLessThan((options.timeoutMs ?? 0) + 1000);
}
