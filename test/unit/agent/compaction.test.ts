import { afterAll, beforeAll, expect, test } from "vitest";
import { bash, EntryHarness, inputFor } from "./entry-harness.ts";

let harness: EntryHarness;

beforeAll(async () => {
  harness = await EntryHarness.create();
}, 60_000);

afterAll(() => harness.dispose());

test("a conversation that fills the model's window is summarised and goes on", async () => {
  const full = { inputTokens: 125_000, outputTokens: 100 };
  const step = { ...bash("yes abcdefghij | head -n 1900 | paste -sd, | fold -w 90"), usage: full };
  const server = await harness.serve([
    { when: "context summarization assistant", turns: [{ text: "So far so good." }] },
    { when: "So far so good.", turns: Array(6).fill({ text: "done" }) },
    { turns: [step, step, step, step, { text: "done" }] },
  ]);
  const run = await harness.run(await harness.root(inputFor(server)));
  expect(run.plain).toEqual(["done"]);
  expect(run.code).toBe(0);
  const summaries = server.requests.filter(({ system }) => system.includes("summarization"));
  expect(summaries).toHaveLength(1);
  // The summary is paid for too: 10 tokens in, 5 out, as for the last answer.
  const steps = run.log.filter(({ msg }) => msg === "bash").length;
  expect(run.log.find(({ msg }) => msg === "token-usage")).toMatchObject({
    inputTokens: steps * full.inputTokens + 20,
    outputTokens: steps * full.outputTokens + 10,
    turnCount: steps + 1,
  });
});
