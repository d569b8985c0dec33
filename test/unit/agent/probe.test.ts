import { execFile, spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const PROBE = join(import.meta.dirname, "../../../src/agent/probe.ts");

const server = createServer((request, response) => {
  if (request.url === "/silent") return;
  response.writeHead(request.url === "/health" ? 200 : 503).end();
});
let port = 0;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

interface ProbeAnswer {
  readonly code: number;
  readonly answer: { ok: boolean; results: { ok: boolean; outcome: string; ms: number }[] };
}

function probe(expectations: readonly object[]): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const args = [PROBE, JSON.stringify(expectations)];
    execFile(process.execPath, args, (error, stdout) =>
      resolve({ code: Number(error?.code ?? 0), answer: JSON.parse(stdout) }),
    );
  });
}

test("passes when what must answer answers and what must refuse refuses", async () => {
  const { code, answer } = await probe([
    { kind: "http-ok", url: `http://127.0.0.1:${port}/health` },
    { kind: "refused", address: "127.0.0.1", port: 1, timeoutMs: 1000 },
  ]);
  expect(answer.results.map((result) => result.outcome)).toEqual(["http 200", "ECONNREFUSED"]);
  expect([code, answer.ok]).toEqual([0, true]);
});

test("fails when a port that must refuse accepts, or an HTTP server is not healthy", async () => {
  const { code, answer } = await probe([
    { kind: "refused", address: "127.0.0.1", port, timeoutMs: 1000 },
    { kind: "http-ok", url: `http://127.0.0.1:${port}/other` },
    { kind: "http-ok", url: "http://127.0.0.1:1/" },
    { kind: "http-ok", url: `http://127.0.0.1:${port}/silent`, timeoutMs: 200 },
  ]);
  expect(answer.results).toMatchObject([
    { ok: false, outcome: "connected" },
    { ok: false, outcome: "http 503" },
    { ok: false, outcome: "ECONNREFUSED" },
    { ok: false, outcome: "timeout" },
  ]);
  expect(code).toBe(1);
});

test("does not take silence for a refusal", async () => {
  // A listener whose queue is full answers nothing: the kernel drops what comes next.
  const script =
    "import socket,time;s=socket.socket();s.bind(('127.0.0.1',0));s.listen(0);" +
    "c=[socket.socket() for _ in range(4)];[x.setblocking(0) for x in c];" +
    "[x.connect_ex(s.getsockname()) for x in c];print(s.getsockname()[1],flush=True);time.sleep(30)";
  const python = spawn("python3", ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const silent = await new Promise<number>((resolve) => {
      python.stdout.once("data", (chunk) => resolve(Number(chunk)));
    });
    const { code, answer } = await probe([
      { kind: "refused", address: "127.0.0.1", port: silent, timeoutMs: 300 },
    ]);
    expect(answer.results[0]).toMatchObject({ ok: false, outcome: "timeout" });
    expect(code).toBe(1);
  } finally {
    python.kill();
  }
});
