import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type ModelConfig, modelProviders } from "../../../src/core/agent-run-config.ts";
import { EntryHarness, inputFor, KEY } from "./entry-harness.ts";

let harness: EntryHarness;

beforeAll(async () => {
  harness = await EntryHarness.create();
}, 60_000);

afterAll(() => harness.dispose());

type Case = readonly [
  model: Pick<ModelConfig, "provider" | "model" | "thinkingLevel">,
  path: string,
  keyHeader: string,
  parameters: Record<string, unknown>,
];

const completions = "/v1/chat/completions";
const budget = (budget_tokens: number) => ({ type: "enabled", budget_tokens });

/** What each provider's own API asks for. */
const cases: readonly Case[] = [
  [
    { provider: "anthropic", model: "claude-sonnet-4-5", thinkingLevel: "high" },
    "/v1/messages",
    "x-api-key",
    { model: "claude-sonnet-4-5", thinking: expect.objectContaining(budget(16_384)) },
  ],
  [
    { provider: "anthropic", model: "claude-sonnet-4-5", thinkingLevel: "off" },
    "/v1/messages",
    "x-api-key",
    { thinking: { type: "disabled" } },
  ],
  [
    { provider: "anthropic", model: "claude-opus-4-8", thinkingLevel: "xhigh" },
    "/v1/messages",
    "x-api-key",
    {
      thinking: expect.objectContaining({ type: "adaptive" }),
      output_config: { effort: "xhigh" },
    },
  ],
  [
    { provider: "openai", model: "gpt-5", thinkingLevel: "low" },
    "/v1/responses",
    "authorization",
    { model: "gpt-5", store: false, reasoning: { effort: "low", summary: "auto" } },
  ],
  [
    { provider: "openai", model: "gpt-5", thinkingLevel: "minimal" },
    "/v1/responses",
    "authorization",
    { reasoning: { effort: "minimal", summary: "auto" } },
  ],
  [
    { provider: "groq", model: "openai/gpt-oss-120b", thinkingLevel: "medium" },
    `/openai${completions}`,
    "authorization",
    { model: "openai/gpt-oss-120b", reasoning_effort: "medium" },
  ],
  [
    { provider: "google", model: "gemini-2.5-pro", thinkingLevel: "high" },
    "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
    "x-goog-api-key",
    {
      generationConfig: expect.objectContaining({
        thinkingConfig: { includeThoughts: true, thinkingBudget: 32_768 },
      }),
    },
  ],
  [
    { provider: "xai", model: "grok-4.3", thinkingLevel: "high" },
    "/v1/responses",
    "authorization",
    { model: "grok-4.3", reasoning: { effort: "high", summary: "auto" } },
  ],
  [
    { provider: "mistral", model: "magistral-medium-latest", thinkingLevel: "medium" },
    completions,
    "authorization",
    { model: "magistral-medium-latest", prompt_mode: "reasoning" },
  ],
  [
    { provider: "openrouter", model: "openai/gpt-5", thinkingLevel: "high" },
    `/api${completions}`,
    "authorization",
    { model: "openai/gpt-5", reasoning: { effort: "high" } },
  ],
  [
    { provider: "openrouter", model: "anthropic/claude-sonnet-4.5" },
    "/api/v1/messages",
    "x-api-key",
    { model: "anthropic/claude-sonnet-4.5" },
  ],
  [
    { provider: "custom", model: "llama", thinkingLevel: "high" },
    completions,
    "authorization",
    { model: "llama", reasoning_effort: "high" },
  ],
];

test.each(cases)(
  "%j asks its provider as that wants to be asked",
  async (model, path, header, sent) => {
    const server = await harness.serve([{ turns: [{ text: "ok" }] }]);
    const run = await harness.run(await harness.root(inputFor(server, {}, model)));
    expect(run.log.filter(({ level }) => level === "error")).toEqual([]);
    expect(run.code).toBe(0);
    expect(server.requests).toHaveLength(1);
    const [request] = server.requests;
    expect(request?.url.replace(/\?beta=true$/, "")).toBe(path);
    expect(request).toMatchObject({ model: model.model, keyHeader: header, keySent: true });
    expect(request?.parameters).toMatchObject(
      model.provider === "google" ? sent : { ...sent, stream: true },
    );
  },
);

test("a model that is newer than the list is asked for all the same, without thinking", async () => {
  const server = await harness.serve([{ turns: [{ text: "ok" }] }]);
  for (const provider of ["anthropic", "openai", "google", "mistral", "openrouter"] as const) {
    const model = { provider, model: "new-model" };
    const run = await harness.run(await harness.root(inputFor(server, {}, model)));
    expect(run.code).toBe(0);
    const request = server.requests.at(-1);
    expect(request?.model).toBe("new-model");
    expect(JSON.stringify(request?.parameters)).not.toMatch(/thinking|reasoning|effort/);
  }
}, 40_000);

test("an OAuth token of Anthropic's goes as a bearer token", async () => {
  const server = await harness.serve([{ turns: [{ text: "ok" }] }]);
  const token = "sk-ant-oat01-0123456789";
  server.expectKey(token);
  const given = inputFor(server, {}, { authType: "oauth_token", model: "claude-sonnet-4-5" });
  const credentials = { "anthropic_key/default/token": token };
  const run = await harness.run(await harness.root({ ...given, credentials }));
  expect(run.code).toBe(0);
  expect(server.requests[0]).toMatchObject({ keyHeader: "authorization", keySent: true });
});

test("without an address of its own each provider is asked at its public one", async () => {
  const asked: string[] = [];
  const proxy = createServer().on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void proxy.close());
  const https_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const public_ = modelProviders.filter((provider) => provider !== "custom");
  for (const provider of public_) {
    const config = { model: { provider, model: "new-model" } };
    const credentials = { [`${provider}_key/default/token`]: KEY };
    const root = await harness.root({ config, credentials });
    const run = await harness.run(root, { env: { https_proxy, NODE_USE_ENV_PROXY: "1" } });
    expect(run.code).toBe(1);
  }
  expect([...new Set(asked)]).toEqual([
    "api.anthropic.com:443",
    "api.openai.com:443",
    "api.groq.com:443",
    "generativelanguage.googleapis.com:443",
    "api.x.ai:443",
    "api.mistral.ai:443",
    "openrouter.ai:443",
  ]);
}, 60_000);
