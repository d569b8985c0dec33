import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Listening, listenAtDoor } from "../../../src/gateway/listen.ts";
import { type Door, type DoorOptions, openDoor } from "../../../src/runtime/open-door.ts";

const PATIENCE_MS = 400;

let directory: string;
let socketPath: string;
let door: Door;
let url: string;
const opened: { close(): unknown }[] = [];

beforeEach(async () => {
  // Longer than a socket's path may be, as home directories can be.
  const above = await mkdtemp(join(tmpdir(), "al-door-"));
  directory = join(above, "d".repeat(120));
  // As short as in the door's container.
  await symlink(directory, join(above, "door"));
  socketPath = join(above, "door/outside.sock");
  await open();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await rm(join(directory, ".."), { recursive: true, force: true });
});

async function open(options: Partial<DoorOptions> = {}): Promise<void> {
  door = await openDoor({
    ...{ place: { port: 0, host: "127.0.0.1" }, patienceMs: PATIENCE_MS, lingerMs: 200 },
    ...{ socketPath, ...options },
  });
  opened.push(door);
  url = `http://127.0.0.1:${door.port}`;
}

/** A runtime; each is told apart by its name. */
async function runtime(name: string, app = new Hono()): Promise<Listening> {
  app.all("/name", (context) => context.text(name));
  app.post("/size", async (context) =>
    context.text(String((await context.req.arrayBuffer()).byteLength)),
  );
  const listening = await listenAtDoor(app, { directory, finishMs: 500 });
  opened.push(listening);
  return listening;
}

/** What only holds a socket, and does with connections what it is told. */
async function program(onConnection: (socket: Socket) => void): Promise<Server> {
  await mkdir(directory);
  const server = createServer({ allowHalfOpen: true }, onConnection).listen(socketPath);
  await once(server, "listening");
  opened.push({ close: () => server.close() });
  return server;
}

const name = async () => (await fetch(`${url}/name`)).text();

async function expectRefusal(response: Response): Promise<void> {
  expect(response.status).toBe(503);
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await response.json()).toMatchObject({
    ...{ error: expect.any(String), code: "not-serving", hint: expect.any(String) },
  });
}

describe("while nobody is at the socket", () => {
  it("senders wait, and reach who comes", async () => {
    const asked = [name(), name(), name()];
    await delay(100);
    await runtime("first");
    expect(await Promise.all(asked)).toEqual(["first", "first", "first"]);
  });

  it("who has waited long enough is told 503, and later ones at once", async () => {
    const started = performance.now();
    await expectRefusal(await fetch(url));
    expect(performance.now() - started).toBeGreaterThan(PATIENCE_MS - 100);
    const asked = performance.now();
    await expectRefusal(await fetch(url));
    expect(performance.now() - asked).toBeLessThan(PATIENCE_MS / 2);
    await runtime("first");
    expect(await name()).toBe("first");
  });

  it("a sender of a large body reads its 503 too", async () => {
    const body = new Uint8Array(8_000_000);
    await expectRefusal(await fetch(url, { method: "POST", body }));
  });

  it("no more are held than are allowed; the others are told 503 at once", async () => {
    await door.close();
    await open({ maxConnections: 2, patienceMs: 5000 });
    const held = [name(), name()];
    await delay(50);
    await expectRefusal(await fetch(url));
    await runtime("first");
    expect(await Promise.all(held)).toEqual(["first", "first"]);
  });

  it("a door that closes answers whom it holds", async () => {
    await door.close();
    await open({ patienceMs: 60_000 });
    const held = fetch(url);
    await delay(50);
    await door.close();
    await expectRefusal(await held);
  });
});

describe("from one runtime to the next", () => {
  it("a request that has arrived is finished, and the next one waits for the successor", async () => {
    const slow = new Hono().get("/slow", async (context) => {
      await delay(200);
      return context.text("done");
    });
    const first = await runtime("first", slow);
    const answer = fetch(`${url}/slow`);
    await delay(50);
    const closed = first.close();
    await delay(100);
    const next = name();
    expect(await (await answer).text()).toBe("done");
    await closed;
    await runtime("second");
    expect(await next).toBe("second");
  });

  it("what takes longer than a runtime waits for is told 503", async () => {
    const stuck = new Hono().get("/stuck", () => new Promise<Response>(() => undefined));
    const first = await runtime("first", stuck);
    const answer = fetch(`${url}/stuck`);
    await delay(50);
    await first.close();
    await expectRefusal(await answer);
  });

  it("a runtime takes the place of a socket that a killed one left", async () => {
    await runtime("first").then((first) => first.close());
    await writeFile(join(directory, "outside.sock"), "");
    await writeFile(join(directory, "outside.sock.next"), "");
    await runtime("second");
    expect(await name()).toBe("second");
    expect(await readdir(directory)).toEqual(["outside.sock"]);
    expect((await stat(join(directory, "outside.sock"))).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });

  it("not one of many requests is refused or lost while runtimes come and go", async () => {
    const served: string[] = [];
    const counting = () =>
      new Hono().post("/count/:id", (context) => {
        served.push(context.req.param("id"));
        return context.text("ok");
      });
    let current = await runtime("0", counting());
    const ends = performance.now() + 2000;
    const accepted: string[] = [];
    const send = async (sender: number) => {
      for (let n = 0; performance.now() < ends; n += 1) {
        const id = `${sender}-${n}`;
        const response = await fetch(`${url}/count/${id}`, { method: "POST", body: "x" });
        expect(response.status).toBe(200);
        accepted.push(id);
      }
    };
    const senders = Array.from({ length: 8 }, (_, sender) => send(sender));
    for (let generation = 1; performance.now() < ends - 200; generation += 1) {
      await delay(100);
      await current.close();
      await delay(50);
      current = await runtime(`${generation}`, counting());
    }
    await Promise.all(senders);
    expect(served.sort()).toEqual(accepted.sort());
    expect(accepted.length).toBeGreaterThan(50);
  });
});

describe("a connection", () => {
  it("whose runtime dies without a word is told 503", async () => {
    await program((socket) => socket.once("data", () => socket.destroy()));
    await expectRefusal(await fetch(url, { method: "POST", body: "x" }));
  });

  it("whose runtime dies in the middle of an answer is cut off, and gets no second one", async () => {
    await program((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal"));
    });
    const socket = connect(door.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\n\r\n");
    expect(await text(socket)).toBe("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal");
  });

  it("carries any bytes both ways, and the end of either side", async () => {
    await program((socket) => socket.pipe(socket));
    const socket = connect({ port: door.port, host: "127.0.0.1", allowHalfOpen: true });
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    socket.end(sent);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  it("that nobody reads from makes the runtime wait", async () => {
    let written = 0;
    await program((socket) => {
      const fill = () => {
        while (socket.write(Buffer.alloc(65_536))) written += 65_536;
      };
      socket.on("drain", fill).on("error", () => undefined);
      fill();
    });
    const socket = connect(door.port, "127.0.0.1").pause();
    await expect.poll(() => written, { timeout: 5000 }).toBeGreaterThan(100_000);
    await delay(300);
    const before = written;
    await delay(300);
    expect(written).toBe(before);
    expect(written).toBeLessThan(16_000_000);
    socket.destroy();
  });

  it("takes a body of ten megabytes", async () => {
    await runtime("first");
    const body = new Uint8Array(10_000_000);
    const response = await fetch(`${url}/size`, { method: "POST", body });
    expect(await response.text()).toBe("10000000");
  });

  it("may come by a unix socket, in the place of a stale one", async () => {
    const path = join(directory, "../door.sock");
    await writeFile(path, "");
    await open({ place: { path } });
    await runtime("first");
    const sent = request({ socketPath: path, path: "/name" }).end();
    const [response] = await once(sent, "response");
    expect(await text(response)).toBe("first");
  });

  it("that its sender leaves ends at the runtime too", async () => {
    const left = Promise.withResolvers<void>();
    await program((socket) => {
      socket.on("end", () => left.resolve()).on("error", () => undefined);
      socket.once("data", () => socket.write("some"));
    });
    const socket = connect(door.port, "127.0.0.1");
    socket.write("x");
    await once(socket, "data");
    socket.destroy();
    await left.promise;
  });
});
