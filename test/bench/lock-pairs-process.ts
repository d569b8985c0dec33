import { CONTAINER_API_PORT } from "../../src/core/names.ts";
import { LoadConnection, median, quantile } from "./load.ts";
import type { LockPairs } from "./lock-pairs.ts";
import { withBarePeer } from "./peer-process.ts";
import { openRuntimeBench } from "./runtime-process.ts";

// Run by lock-pairs.ts in a network of its own; prints what it found as JSON.

const ROUNDS = 10;
const PAIRS = 100;

const bench = await openRuntimeBench({
  agents: [{ name: "holder" }],
  engine: { runMs: () => 3_600_000 },
});
try {
  await bench.start();
  const secret = await secretOfARun();
  const ours: number[] = [];
  const bare: number[] = [];
  await withBarePeer(async (port) => {
    // In turn, so that both meet the same load; the first round warms up.
    for (let round = 0; round <= ROUNDS; round++) {
      const [own, floor] = [await pairs(CONTAINER_API_PORT, secret), await pairs(port, secret)];
      if (round === 0) continue;
      ours.push(...own);
      bare.push(...floor);
    }
  });
  const found: LockPairs = {
    ...{ p50Ms: median(ours), p99Ms: p99(ours), pairs: ours.length },
    ...{ bareP50Ms: median(bare), bareP99Ms: p99(bare) },
  };
  process.stdout.write(JSON.stringify(found));
} finally {
  await bench.close();
}

async function secretOfARun(): Promise<string> {
  const { body } = await bench.control("POST", "/control/trigger/holder");
  const { runId } = body as { runId: string };
  while (bench.engine.stageOf(runId) !== "running") await new Promise((r) => setTimeout(r, 10));
  return bench.engine.secrets.get(runId) ?? "";
}

/** Milliseconds of each acquire and release of one lock, over one connection. */
async function pairs(port: number, secret: string): Promise<number[]> {
  const connection = await LoadConnection.open(port);
  const took: number[] = [];
  for (let n = 0; n < PAIRS; n++) {
    const body = JSON.stringify({ secret, resourceKey: `github issue acme/storefront#${n}` });
    const begin = performance.now();
    for (const what of ["acquire", "release"]) {
      const status = await connection.ask(request(`/locks/${what}`, body));
      if (status !== 200) throw new Error(`${what} was answered with ${status}`);
    }
    took.push(performance.now() - begin);
  }
  connection.close();
  return took;
}

function request(path: string, body: string): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json`;
  return Buffer.from(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function p99(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.99,
  );
}
