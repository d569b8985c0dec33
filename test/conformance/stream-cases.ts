import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Transport } from "../../src/transport/transport.ts";
import { type EchoServer, startEchoServer } from "./echo-server.ts";
import { bytesOf, expectGone, MIB, newMarker, sha256, textOf } from "./probes.ts";

/** Commands whose streams the caller drives. */
export function runningProcesses(use: () => Transport): void {
  test("a spawned command talks both ways as it runs", async () => {
    const running = await use().spawn(["cat"]);
    for (const word of ["one", "two", "three"]) {
      running.stdin.write(word);
      const [heard] = (await once(running.stdout, "data")) as [Buffer];
      expect(heard.toString()).toBe(word);
    }
    running.stdin.end();
    expect(await running.exited).toEqual({ code: 0, signal: null });
  });

  test("output can be read after the command has ended", async () => {
    const running = await use().spawn(["sh", "-c", "echo out; echo err >&2; exit 5"]);
    running.stdin.end();
    expect(await running.exited).toEqual({ code: 5, signal: null });
    expect(await textOf(running.stdout)).toBe("out\n");
    expect(await textOf(running.stderr)).toBe("err\n");
  });

  test("a slow reader holds the command back and loses nothing", async () => {
    const running = await use().spawn(["head", "-c", String(20 * MIB), "/dev/zero"]);
    running.stdin.end();
    await delay(500);
    let bytes = 0;
    for await (const chunk of running.stdout) bytes += (chunk as Buffer).byteLength;
    expect(bytes).toBe(20 * MIB);
    expect((await running.exited).code).toBe(0);
  });

  test("kill ends the command, and may be repeated", async () => {
    const marker = newMarker();
    const running = await use().spawn(["sh", "-c", `sleep 300; : ${marker}`]);
    running.kill();
    running.kill();
    expect(await running.exited).toEqual({ code: null, signal: "SIGTERM" });
    await expectGone(use(), marker);
    running.kill();
  });

  test("the signal ends a spawned command at any time, its deadline only bounds the start", async () => {
    const controller = new AbortController();
    const options = { signal: controller.signal, timeoutMs: 400 };
    const running = await use().spawn(["sleep", "300"], options);
    await delay(600);
    const early = await Promise.race([running.exited, "still running"]);
    expect(early).toBe("still running");
    controller.abort();
    expect(await running.exited).toEqual({ code: null, signal: "SIGTERM" });
  });
}

/** Streams to unix sockets. */
export function unixSockets(use: () => Transport): void {
  let echo: EchoServer;
  beforeAll(async () => {
    echo = await startEchoServer(use());
  });
  afterAll(() => echo?.stop());

  test("40 streams in parallel carry a megabyte each way, intact", async () => {
    const bodies = Array.from({ length: 40 }, () => randomBytes(MIB));
    const answers = await Promise.all(
      bodies.map(async (body) => {
        const stream = await use().forwardUnix(echo.path);
        stream.end(body);
        return sha256(await bytesOf(stream));
      }),
    );
    expect(answers).toEqual(bodies.map(sha256));
  });

  test("streams do not use up the places of commands", async () => {
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => use().forwardUnix(echo.path)),
    );
    expect((await use().exec(["true"])).code).toBe(0);
    for (const stream of streams) stream.destroy();
  });

  test("a destroyed stream is closed at the other end, too", async () => {
    // Those of earlier tests may still be on their way out.
    await expect.poll(() => echo.connections(), { timeout: 3000 }).toBe(0);
    const stream = await use().forwardUnix(echo.path);
    stream.write("x");
    await once(stream, "data");
    expect(await echo.connections()).toBe(1);
    stream.destroy();
    await expect.poll(() => echo.connections(), { timeout: 3000 }).toBe(0);
  });

  test("a missing socket is an error that names it", async () => {
    await expect(use().forwardUnix("/nonexistent/docker.sock")).rejects.toMatchObject({
      code: "socket-unavailable",
      message: expect.stringContaining("/nonexistent/docker.sock"),
    });
  });
}
