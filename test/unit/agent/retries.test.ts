import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isUnrecoverable, retryPolicyFor } from "../../../src/agent/failure-patterns.ts";
import type { SessionEvent } from "../../../src/agent/model-session.ts";
import { createPiSession } from "../../../src/agent/pi-session.ts";
import { Secret } from "../../../src/base/secret.ts";
import { startModelServer } from "../../model-server/server.ts";

const limited = { maxRetries: 5, baseDelayMs: 30_000, maxDelayMs: 300_000 };

test.each([
  ["429 Too Many Requests", limited],
  ["529", limited],
  ["Overloaded", limited],
  ['{"type":"rate_limit_error"}', limited],
  ["500 Internal Server Error", { ...limited, baseDelayMs: 2_000 }],
  ["terminated", { ...limited, baseDelayMs: 2_000 }],
  ["401 invalid x-api-key", { ...limited, maxRetries: 0, baseDelayMs: 2_000 }],
  ["404 model_not_found", { ...limited, maxRetries: 0, baseDelayMs: 2_000 }],
])("after %j: %j", (error, policy) => {
  expect(retryPolicyFor(error)).toEqual(policy);
});

test("waits double until they are as long as they may be", async () => {
  const turns = [{ faults: [{ kind: "status", status: 429, times: 0 }] }] as const;
  const server = await startModelServer({ script: [{ turns }] });
  const cwd = await mkdtemp(join(tmpdir(), "al-retries-"));
  onTestFinished(async () => {
    await server.close();
    await rm(cwd, { recursive: true });
  });
  const events: SessionEvent[] = [];
  const session = await createPiSession({
    model: { provider: "anthropic", model: "m", authType: "api_key", baseUrl: server.url },
    key: new Secret("key"),
    instructions: "x",
    cwd,
    // The contract's proportions: 30 s and 5 min.
    retryPolicy: () => ({ maxRetries: 5, baseDelayMs: 3, maxDelayMs: 30 }),
    onEvent: (event) => events.push(event),
  });
  expect((await session.prompt("go")).kind).toBe("failed");
  expect(events.map((event) => event.kind === "retrying" && event.delayMs)).toEqual([
    3, 6, 12, 24, 30,
  ]);
});

test.each([
  ["remote: Bad credentials", true],
  ["Permission denied (publickey).", true],
  ["fatal: Authentication failed for 'https://github.com/'", true],
  ["Resource not accessible by personal access token", true],
  ["fatal: Could not read from remote repository.", true],
  ["error: The requested URL returned error: 403", true],
  ["remote: Permission to a/b.git denied to bot.", true],
  ["The requested URL returned error: 404", false],
  ["npm error 404", false],
])("%j is unrecoverable: %j", (text, expected) => {
  expect(isUnrecoverable(text)).toBe(expected);
});
