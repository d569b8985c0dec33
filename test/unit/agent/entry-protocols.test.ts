import { afterAll, beforeAll, expect, test } from "vitest";
import { bash, EntryHarness, inputFor } from "./entry-harness.ts";

/** Providers that together speak every protocol, and the name the model server has for it. */
const protocols = [
  ["anthropic", "anthropic"],
  ["openai", "openai-responses"],
  ["custom", "openai-completions"],
  ["mistral", "openai-completions"],
  ["google", "google"],
] as const;

let harness: EntryHarness;

beforeAll(async () => {
  harness = await EntryHarness.create();
}, 60_000);

afterAll(() => harness.dispose());

test.each(protocols)(
  "with %s, runs bash for real, logs in order and exits with 0",
  async (provider, protocol) => {
    const server = await harness.serve([
      {
        turns: [
          { text: "Looking.", ...bash("echo word-{{match:the word is (\\w+)}} > out; cat out") },
          {
            text: "Found {{match:word-\\w+}}.\nBye.",
            usage: { inputTokens: 100, outputTokens: 20 },
          },
        ],
      },
    ]);
    const config = { instructions: "You are a test; the word is heron." };
    const root = await harness.root(inputFor(server, { config, prompt: "<go>" }, { provider }));
    const run = await harness.run(root);
    expect(run.stderr).toBe("");
    expect(run.log.map((line) => line.msg)).toEqual([
      "container starting",
      "credentials loaded from volume",
      "creating agent session",
      "session created, sending prompt",
      "usage",
      "bash",
      "usage",
      "token-usage",
      "run completed",
    ]);
    expect(run.log[0]).toMatchObject({ agentName: "dev", modelId: "test-model" });
    const all = { inputTokens: 110, outputTokens: 25, totalTokens: 135, turnCount: 2, cost: 0 };
    expect(run.log[4]).toMatchObject({ inputTokens: 10, outputTokens: 5, turnCount: 1 });
    expect(run.log[5]).toMatchObject({ cmd: "echo word-heron > out; cat out" });
    expect(run.log.slice(6, 8)).toMatchObject([all, all]);
    expect(Math.abs(Date.now() - Number(run.log[0]?.ts))).toBeLessThan(60_000);
    expect(run.plain).toEqual(["Looking.", "Found word-heron.", "Bye."]);
    expect(run.code).toBe(0);
    expect(server.requests).toHaveLength(2);
    expect(server.requests[0]).toMatchObject({ protocol, keySent: true });
    expect(server.requests[0]?.system).toContain("the word is heron");
    expect(server.requests[0]?.toolNames.toSorted()).toEqual([
      "bash",
      "edit",
      "find",
      "grep",
      "ls",
      "read",
      "write",
    ]);
  },
);

test.each(protocols)(
  "with %s, ends with 1 and says so when the key is refused",
  async (provider) => {
    const server = await harness.serve([{ turns: [{ text: "never" }] }]);
    const credentials = { [`${provider}_key/default/token`]: "sk-wrong-9876543210" };
    const run = await harness.run(
      await harness.root({ ...inputFor(server, {}, { provider }), credentials }),
    );
    expect(run.code).toBe(1);
    expect(run.log.at(-1)).toMatchObject({
      level: "error",
      msg: "run failed",
      error: expect.stringMatching(/^the model provider refused the key: .*401/),
      hint: `Check the credential ${provider}_key.`,
    });
    expect(server.requests).toHaveLength(1);
    expect(run.stdout).not.toContain("sk-wrong");
  },
);

const overloaded = {
  kind: "status",
  status: 503,
  body: `{"error":{"code":503,"message":"The model is overloaded."}}`,
} as const;

const faults = [
  [{ kind: "status", status: 429 }, "rate limited, retrying prompt"],
  [{ kind: "status", status: 529, body: "" }, "rate limited, retrying prompt"],
  [{ kind: "status", status: 500 }, "model error, retrying prompt"],
  [{ kind: "cut" }, "model error, retrying prompt"],
  [{ kind: "malformed" }, "model error, retrying prompt"],
] as const;

test.each(protocols)(
  "with %s, tries again after each kind of failure, repeating no tool call",
  async (provider) => {
    const turns = faults.map(([fault], index) => ({
      ...bash(`echo ${index} >> log; cat log`),
      // Google's client reads every answer as JSON, also an empty one.
      faults: ["body" in fault && provider === "google" ? overloaded : fault],
    }));
    const server = await harness.serve([{ turns: [...turns, { text: "done" }] }]);
    const run = await harness.run(await harness.root(inputFor(server, {}, { provider })));
    const retries = run.log.filter((line) => line.msg.endsWith("retrying prompt"));
    expect(retries).toMatchObject(
      faults.map(([, msg]) => ({ level: "warn", msg, attempt: 1, delayMs: 20 })),
    );
    expect(server.requests.at(-1)?.text).toContain("0\n1\n2\n3\n4");
    expect(run.log.filter((line) => line.msg === "bash")).toHaveLength(faults.length);
    expect(run.plain).toEqual(["done"]);
    expect(run.code).toBe(0);
  },
);
