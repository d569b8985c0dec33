import fc from "fast-check";
import { expect, test } from "vitest";
import { logLines, outcomeLine } from "../../../src/cli/render/log-line.ts";

function shown(text: string, stream: "stdout" | "stderr" | "runtime" = "stdout"): string[] {
  const ts = "2026-01-02T03:04:05.000000000Z";
  return logLines({ kind: "line", run: "01A", ts, stream, text, cursor: 1 });
}

const logged = (msg: string, fields: object = {}, level = "info") =>
  shown(JSON.stringify({ _log: true, level, msg, ...fields, ts: 1 }));

test("a run reads as a conversation", () => {
  expect([
    ...logged("container starting", { agentName: "dev", modelId: "claude x" }),
    ...shown("I look at the repository."),
    ...logged("bash", { cmd: "git clone a &&\n  ls" }),
    ...logged("tool error", { tool: "bash", cmd: "ls", result: "no such\nfile" }, "error"),
    ...logged("usage", { totalTokens: 3 }),
    ...logged("rate limited, retrying prompt", { attempt: 1 }, "warn"),
    ...logged("token-usage", {
      ...{ inputTokens: 1000, outputTokens: 200, cacheReadTokens: 34, cacheWriteTokens: 0 },
      ...{ totalTokens: 1234, cost: 0.0123, turnCount: 1 },
    }),
    ...shown("oops", "stderr"),
  ]).toEqual([
    '03:04:05  - container starting agentName=dev modelId="claude x"',
    "03:04:05  I look at the repository.",
    "03:04:05  $ git clone a &&",
    "              ls",
    "03:04:05  ! bash failed: ls",
    "            no such",
    "            file",
    "03:04:05  ! warn: rate limited, retrying prompt attempt=1",
    "03:04:05  = 1234 tokens: 1000 in, 200 out, 34 from the cache; $0.0123; 1 turn",
    "03:04:05  - stderr: oops",
  ]);
});

test("a log line with fields of other types than ours is shown as it is", () => {
  expect(logged("bash", { cmd: { a: 1 } })).toEqual(['03:04:05  - bash cmd={"a":1}']);
  expect(logged("token-usage", { cost: "much" })[0]).toContain("= 0 tokens");
});

test("whatever a run writes, no control character gets to the terminal", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, fc.constantFrom("bash", "tool error", "x"), (one, two, msg) => {
      const fields = { cmd: one, tool: two, result: one, [two]: one };
      const lines = [...shown(one), ...shown(two, "stderr"), ...logged(msg, fields)];
      expect(lines.join("").replaceAll("\t", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
  );
  const run = {
    id: "1",
    agent: "dev",
    trigger: "manual",
    state: "finished",
    createdAt: 1,
  } as const;
  expect(outcomeLine({ ...run, outcome: "failed", detail: "\u001b[2J" })).toContain("\\u{1b}[2J");
});
