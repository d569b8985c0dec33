import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Hono } from "hono";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Listening, listenOnSocket } from "../../../src/gateway/listen.ts";

let directory: string;
let path: string;
let listening: Listening;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-listen-"));
  path = join(directory, "control.sock");
  await writeFile(path, "left by a killed process");
  const app = new Hono().get("/hello", (context) => context.text("hello"));
  listening = await listenOnSocket(app, path);
});
afterEach(async () => {
  await listening.close();
  await rm(directory, { recursive: true, force: true });
});

it("serves on a socket that only its user may open, in place of a stale one", async () => {
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const answer = await new Promise<string>((resolve, reject) => {
    request({ socketPath: path, path: "/hello" }, (response) => resolve(text(response)))
      .on("error", reject)
      .end();
  });
  expect(answer).toBe("hello");
});

it("closes twice without harm", async () => {
  await listening.close();
  await listening.close();
  await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
});

it("is reached through the proxy, whose input may end before the answer", async () => {
  const child = startProxy();
  child.stdin.end("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const [answer, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(errors).toBe("");
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer).toMatch(/hello/);
});

it("ends the proxy when it closes, though nobody ended the proxy's input", async () => {
  const child = startProxy();
  child.stdin.write("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  const output = text(child.stdout);
  await once(child.stdout, "readable");
  await listening.close();
  expect(await output).toMatch(/hello/);
});

it("fails the proxy with a reason when there is no socket", async () => {
  await listening.close();
  const child = startProxy();
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  expect([code, errors]).toEqual([1, expect.stringMatching(/^control socket: .*ENOENT/)]);
});

/** The proxy, with this test's socket in place of the one in the runtime's container. */
function startProxy() {
  const proxy = join(import.meta.dirname, "../../../src/runtime/control-proxy.ts");
  const program = `
    import { Socket } from "node:net";
    const original = Socket.prototype.connect;
    Socket.prototype.connect = function (...args) {
      args[0][0].path = ${JSON.stringify(path)};
      return original.apply(this, args);
    };
    await import(${JSON.stringify(proxy)});`;
  return spawn(process.execPath, ["--input-type=module", "-e", program]);
}
