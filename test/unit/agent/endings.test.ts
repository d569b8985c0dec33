import { afterAll, beforeAll, expect, test } from "vitest";
import type { ScriptedTurn } from "../../model-server/script.ts";
import { bash, EntryHarness, inputFor, type LogLine } from "./entry-harness.ts";

let harness: EntryHarness;

beforeAll(async () => {
  harness = await EntryHarness.create();
}, 60_000);

afterAll(() => harness.dispose());

async function run(turns: readonly ScriptedTurn[], model = {}) {
  const server = await harness.serve([{ turns }]);
  return harness.run(await harness.root(inputFor(server, {}, model)));
}

const rerun = bash("al-rerun && echo answer | al-return");
const denied = bash("echo 'fatal: Authentication failed' >&2; exit 128");
const refused = { faults: [{ kind: "status", status: 401, times: 0 }] } as const;

test.each([
  ["nothing", [bash("true"), { text: "ok" }], 0],
  ["a return value", [bash("echo answer | al-return"), { text: "ok" }], 0],
  ["a rerun and a return value", [rerun, { text: "ok" }], 42],
  ["an exit after a rerun", [rerun, bash("al-exit 11; sleep 30"), { text: "no" }], 11],
  ["an exit with 0 after a rerun", [rerun, bash("al-exit 0; sleep 30"), { text: "no" }], 0],
  ["giving up after a rerun", [rerun, denied, denied, denied, { text: "no" }], 1],
  ["a model that fails after a rerun", [rerun, refused], 1],
] as const)(
  "%s: the first of abort, exit, rerun and return decides",
  async (_name, turns, code) => {
    expect((await run(turns)).code).toBe(code);
  },
);

test("a tool's failure is a line with the tool, its command and what it said", async () => {
  const missing = { toolCalls: [{ name: "read", input: { path: "missing.txt" } }] };
  const { log, code } = await run([bash("echo why >&2; exit 3"), missing, { text: "ok" }]);
  expect(log.filter(({ msg }) => msg === "tool error")).toEqual([
    line({ tool: "bash", cmd: "echo why >&2; exit 3", result: expect.stringContaining("why") }),
    line({
      tool: "read",
      cmd: '{"path":"missing.txt"}',
      result: expect.stringContaining("ENOENT"),
    }),
  ]);
  expect(code).toBe(0);
});

function line(fields: object): LogLine {
  return { _log: true, level: "error", msg: "tool error", ts: expect.any(Number), ...fields };
}

test("token-usage sums up every turn, at the list's price", async () => {
  const usage = {
    inputTokens: 1000,
    outputTokens: 100,
    cacheReadTokens: 2000,
    cacheWriteTokens: 500,
  };
  const turns = [
    { ...bash("true"), usage },
    { text: "ok", usage },
  ];
  const { log } = await run(turns, { model: "claude-sonnet-4-5" });
  const found = log.find(({ msg }) => msg === "token-usage");
  expect(found).toEqual({
    ...{ _log: true, level: "info", msg: "token-usage", ts: expect.any(Number) },
    inputTokens: 2000,
    outputTokens: 200,
    cacheReadTokens: 4000,
    cacheWriteTokens: 1000,
    totalTokens: 7200,
    // Dollars per million: 3 in, 15 out, 0.30 read from the cache, 3.75 written to it.
    cost: expect.closeTo((2000 * 3 + 200 * 15 + 4000 * 0.3 + 1000 * 3.75) / 1e6, 9),
    turnCount: 2,
  });
});
