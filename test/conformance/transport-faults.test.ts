import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readFile, writeFileAtomic, writeTree } from "../../src/transport/files.ts";
import type { SshOptions } from "../../src/transport/ssh.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { startHost } from "../lab/host.ts";
import type { LabHost } from "../lab/lab-host.ts";
import { setUpLab } from "../lab/set-up.ts";
import { connectTo } from "./lab-transport.ts";
import { MIB, newMarker } from "./probes.ts";
import { entry, expectWhole, names, namesAfterSweep } from "./tree-cases.ts";

const log = () => undefined;
const LOST = { code: "connection-lost", blame: "transient" };
const open: Transport[] = [];
let host: LabHost;

beforeAll(async () => {
  const lab = await setUpLab({ log });
  host = await startHost(lab.engine, { log, name: "faults" });
});
afterAll(() => host?.stop());
afterEach(async () => {
  await Promise.all(open.splice(0).map((transport) => transport.close()));
});

async function connect(options: Partial<SshOptions> = {}): Promise<Transport> {
  const transport = await connectTo(host, options);
  open.push(transport);
  return transport;
}

describe("sessions", () => {
  test("100 commands at once run eight at a time under sshd's MaxSessions of 10", async () => {
    const transport = await connect();
    const script = 'mkdir "$0.$$"; ls -d "$0".* | wc -l; sleep 0.1; rmdir "$0.$$"';
    const results = await Promise.all(
      Array.from({ length: 100 }, () => transport.exec(["sh", "-c", script, "/tmp/al-session"])),
    );
    expect(new Set(results.map(({ code }) => code))).toEqual(new Set([0]));
    const atATime = Math.max(...results.map(({ stdout }) => Number(stdout.toString())));
    expect(atATime).toBeGreaterThan(1);
    expect(atATime).toBeLessThanOrEqual(8);
  });

  test("an sshd that allows fewer sessions than we want only makes it slower", async () => {
    const transport = await connect({ sessionLimit: 24 });
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, n) => transport.exec(["sh", "-c", `sleep 0.05; echo ${n}`])),
    );
    expect(results.map(({ stdout }) => Number(stdout.toString()))).toEqual(
      results.map((_, n) => n),
    );
  });

  test("who waits for a place can give up, and takes none", async () => {
    const transport = await connect({ sessionLimit: 1 });
    const running = await transport.spawn(["cat"]);
    await expect(transport.exec(["true"], { timeoutMs: 100 })).rejects.toMatchObject({
      code: "timeout",
    });
    const waiting = transport.exec(["echo", "mine"]);
    running.stdin.end();
    expect((await waiting).stdout.toString()).toBe("mine\n");
  });
});

describe("a connection that is cut", () => {
  test("rejects everything on it promptly and says so", async () => {
    const transport = await connect({ sessionLimit: 2 });
    const [one, two] = [await transport.spawn(["sleep", "300"]), await transport.spawn(["cat"])];
    const stream = await transport.forwardUnix("/var/run/docker.sock");
    const pending = [
      expect(one.exited).rejects.toMatchObject(LOST),
      expect(two.exited).rejects.toMatchObject(LOST),
      expect(transport.exec(["true"])).rejects.toMatchObject(LOST),
      expect(once(stream, "end")).rejects.toMatchObject(LOST),
      expect(once(two.stdout, "end")).rejects.toMatchObject(LOST),
      expect(transport.lost).resolves.toMatchObject(LOST),
    ];
    await cut();
    const began = performance.now();
    await Promise.all(pending);
    expect(performance.now() - began).toBeLessThan(1000);
    await expect(transport.exec(["true"])).rejects.toMatchObject(LOST);
    await expect(transport.forwardUnix("/x")).rejects.toMatchObject(LOST);
    two.stdin.write("into the void");
    stream.destroy();
    one.kill();
    await transport.close();
  });

  test("rejects a command in the middle of its output", async () => {
    const transport = await connect();
    const call = transport.exec(["cat", "/dev/zero"], { maxOutputBytes: Number.MAX_SAFE_INTEGER });
    const rejected = expect(call).rejects.toMatchObject(LOST);
    await delay(200);
    await cut();
    await rejected;
  });

  test("leaves the old tree whole, whenever it happens while a new one is written", async () => {
    const tree = (letter: string) =>
      Array.from({ length: 60 }, (_, n) => entry(`${letter}${n}`, letter.repeat(MIB)));
    const directory = `/home/deploy/${newMarker()}`;
    await writeTree(await connect(), `${directory}/tree`, tree("a"));
    const outcomes = new Set<string>();
    for (const afterMs of [0, 30, 100, 200, 400]) {
      const transport = await connect();
      const write = writeTree(transport, `${directory}/tree`, tree("b")).then(
        () => "written",
        (error: { code: string }) => error.code,
      );
      await delay(afterMs);
      await cut();
      outcomes.add(await write);
      const after = await connect();
      expect(await namesAfterSweep(after, directory)).toEqual(["tree"]);
      await expectWhole(after, `${directory}/tree`, 60);
    }
    expect(outcomes).toContain("connection-lost");
  });
});

describe("a host that falls silent", () => {
  afterEach(() => host.unpause());

  test("is noticed by keep-alives, and everything on it is rejected", async () => {
    const transport = await connect({ keepAlive: { intervalMs: 200, count: 3 } });
    const running = await transport.spawn(["sleep", "300"]);
    const rejected = expect(running.exited).rejects.toMatchObject(LOST);
    await delay(1500);
    await host.pause();
    const began = performance.now();
    expect(await transport.lost).toMatchObject({
      ...LOST,
      message: expect.stringContaining("no sign of life for 0.6 s"),
    });
    expect(performance.now() - began).toBeLessThan(2000);
    await rejected;
  });

  test("does not hold up a deadline, nor closing", async () => {
    const transport = await connect();
    await host.pause();
    await expect(transport.exec(["true"], { timeoutMs: 300 })).rejects.toMatchObject({
      code: "timeout",
    });
    const began = performance.now();
    await transport.close();
    expect(performance.now() - began).toBeLessThan(1500);
  });
});

describe("a full disk", () => {
  const disk = "/home/deploy/small";

  beforeEach(async () => {
    const mount = `mkdir -p ${disk} && mount -t tmpfs -o size=3m,uid=1001,mode=700 tmpfs ${disk}`;
    expect((await host.exec(["sh", "-c", mount])).code).toBe(0);
  });
  afterEach(() => host.exec(["umount", "-l", disk]));

  test("is an error that names host and directory, and leaves the old content and nothing else", async () => {
    const transport = await connect();
    const full = {
      code: "disk-full",
      blame: "user",
      message: expect.stringContaining(`host ${host.name}: cannot write ${disk}/tree`),
    };
    await writeTree(transport, `${disk}/tree`, [entry("a", "old")]);
    const large = Array.from({ length: 8 }, (_, n) => entry(`big${n}`, "x".repeat(MIB)));
    await expect(writeTree(transport, `${disk}/tree`, large)).rejects.toMatchObject(full);
    expect(await names(transport, disk)).toEqual(["tree"]);
    await writeFileAtomic(transport, `${disk}/tree/b`, Buffer.from("old"));
    const write = writeFileAtomic(transport, `${disk}/tree/b`, Buffer.alloc(8 * MIB));
    await expect(write).rejects.toMatchObject(full);
    expect((await readFile(transport, `${disk}/tree/b`))?.toString()).toBe("old");
    expect(await names(transport, `${disk}/tree`)).toEqual(["a", "b"]);
  });

  test("a directory that belongs to somebody else is an error that says so", async () => {
    const transport = await connect();
    const write = writeFileAtomic(transport, "/etc/al-test", Buffer.from("x"));
    await expect(write).rejects.toMatchObject({ code: "file-access", blame: "user" });
    await expect(readFile(transport, "/etc/shadow")).rejects.toMatchObject({ code: "file-access" });
  });
});

/** Ends the processes behind all of deploy's SSH connections, as a crash would. */
async function cut(): Promise<void> {
  expect((await host.exec(["pkill", "-KILL", "-f", "^sshd(-session)?: deploy"])).code).toBe(0);
}
