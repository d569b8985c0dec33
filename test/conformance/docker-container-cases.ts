import { buffer, text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { type EngineUnderTest, read } from "./docker-support.ts";

/** Containers from creation to removal. */
export function lifeCycleCases(engine: () => EngineUnderTest): void {
  test("a container lives from creation to removal, and every step may be repeated", async () => {
    const { docker, labels } = engine();
    const name = await engine().run("life", "sleep 60");
    const again = await docker.createContainer(engine().spec("life", "true"));
    expect(again).toEqual({ kind: "exists" });
    await docker.startContainer(name);
    expect(await docker.inspectContainer(name)).toMatchObject({ name, state: "running", labels });
    expect(await docker.listContainers({ ...labels, suffix: "life" })).toMatchObject([{ name }]);
    await docker.stopContainer(name, { graceSeconds: 0 });
    await docker.stopContainer(name, { graceSeconds: 0 });
    await docker.killContainer(name);
    expect(await docker.inspectContainer(name)).toMatchObject({ state: "exited", exitCode: 137 });
    await docker.removeContainer(name, { volumes: true });
    await docker.removeContainer(name);
    await docker.stopContainer(name);
    expect(await docker.inspectContainer(name)).toBeUndefined();
  });

  test("events tell what happens to our containers", async () => {
    const { docker, labels } = engine();
    const stop = new AbortController();
    const label = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const filters = { type: ["container"], label: [...label, "suffix=event"] };
    const events = docker.events(filters, { signal: stop.signal })[Symbol.asyncIterator]();
    const first = events.next();
    await delay(200);
    const name = await engine().run("event", "exit 3");
    expect((await first).value).toMatchObject({ type: "container", action: "create" });
    let event = (await events.next()).value;
    while (event.action !== "die") event = (await events.next()).value;
    expect(event.attributes).toMatchObject({ name, exitCode: "3" });
    stop.abort(new Error("seen enough"));
    await expect(events.next()).rejects.toThrow("seen enough");
  });

  test("a call that is aborted or takes too long ends at once with its own reason", async () => {
    const { docker } = engine();
    const name = await engine().run("slow", "sleep 60");
    const stop = new AbortController();
    const waiting = docker.waitContainer(name, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("changed my mind")), 50);
    await expect(waiting).rejects.toThrow("changed my mind");
    const short = docker.waitContainer(name, { timeoutMs: 50 });
    await expect(short).rejects.toMatchObject({ code: "timeout" });
    await docker.removeContainer(name, { force: true });
  });
}

/** What programs in containers write and read. */
export function streamCases(engine: () => EngineUnderTest): void {
  test("an exit code is waited for, and logs keep streams apart and in order", async () => {
    const { docker } = engine();
    const script = "echo one; echo two >&2; echo three; head -c 300000 /dev/zero; exit 7";
    const name = await engine().run("logs", script);
    expect(await docker.waitContainer(name)).toBe(7);
    const { stdout, stderr } = await read(docker.containerLogs(name));
    expect(stdout.subarray(0, 10).toString()).toBe("one\nthree\n");
    expect(stdout.length).toBe(300_010);
    expect(stderr.toString()).toBe("two\n");
    const stamped = await read(docker.containerLogs(name, { timestamps: true }));
    expect(stamped.stderr.toString()).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z two\n$/);
  });

  test("logs are followed until their reader or its signal ends them", async () => {
    const { docker } = engine();
    const name = await engine().run("follow", "while :; do echo tick; sleep 0.05; done");
    for await (const chunk of docker.containerLogs(name, { follow: true })) {
      expect(chunk.bytes.toString()).toContain("tick");
      break;
    }
    const stop = new AbortController();
    const options = { follow: true, signal: stop.signal };
    const following = read(docker.containerLogs(name, options));
    setTimeout(() => stop.abort(new Error("enough")), 100);
    await expect(following).rejects.toThrow("enough");
    await docker.removeContainer(name, { force: true });
  });

  test("a program in a container takes and gives a megabyte over one connection", async () => {
    const { docker } = engine();
    const name = await engine().run("exec", "sleep 60");
    const script = ["sh", "-c", "cat; echo done >&2; exit 5"];
    const echo = await docker.exec(name, script, { stdin: true, user: "1000:1000" });
    const megabyte = Buffer.alloc(1 << 20, "0123456789abcdef");
    const output = buffer(echo.stdout);
    const errors = text(echo.stderr);
    echo.stdin.end(megabyte);
    expect(await echo.exited).toEqual({ code: 5, signal: null });
    expect((await output).equals(megabyte)).toBe(true);
    expect(await errors).toBe("done\n");
    const whoami = await docker.exec(name, ["id", "-u"], { user: "1000" });
    whoami.stderr.resume();
    expect(await text(whoami.stdout)).toBe("1000\n");
    await docker.removeContainer(name, { force: true });
  });
}
