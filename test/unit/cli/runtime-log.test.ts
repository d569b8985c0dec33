import { expect, test } from "vitest";
import { runtimeLogLine } from "../../../src/cli/render/runtime-log.ts";

test("a line of a runtime's log says when, what and how grave, and obeys nobody", () => {
  const line = { time: Date.parse("2026-01-31T08:00:00Z"), message: "run begins", cursor: 1 };
  const fields = { agent: "dev", left: 2, reason: "no \u001b[31mluck" };
  expect(runtimeLogLine({ ...line, level: "info", fields: {} })).toBe(
    "2026-01-31 08:00:00Z  run begins",
  );
  const warned = runtimeLogLine({ ...line, level: "warn", fields });
  expect(warned).toBe(
    '2026-01-31 08:00:00Z  warn: run begins agent=dev left=2 reason="no \\u001b[31mluck"',
  );
});
