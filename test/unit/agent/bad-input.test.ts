import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { bash, EntryHarness, inputFor, KEY, type RunOutcome } from "./entry-harness.ts";

let harness: EntryHarness;

beforeAll(async () => {
  harness = await EntryHarness.create();
}, 60_000);

afterAll(() => harness.dispose());

/** The one line that says why a run failed. */
function failureOf(run: RunOutcome) {
  expect(run.code).toBe(1);
  expect(run.stderr).toBe("");
  const errors = run.log.filter(({ level }) => level === "error");
  expect(errors).toHaveLength(1);
  expect(run.log.at(-1)).toMatchObject({ level: "error", msg: "run failed" });
  expect(errors[0]?.hint).toBeTruthy();
  return errors[0];
}

const config = {
  name: "dev",
  instructions: "x",
  model: { provider: "anthropic", model: "m" },
} as const;

test.each([
  ["no JSON", '{"name": "dev", ghp_secret', "invalid agent configuration: not JSON"],
  ["nothing", "", "has anything in it"],
  ["a list", "[]", "expected object"],
  ["no name", JSON.stringify({ ...config, name: undefined }), "name"],
  ["no instructions", JSON.stringify({ ...config, instructions: undefined }), "instructions"],
  ["empty instructions", JSON.stringify({ ...config, instructions: " \n" }), "ACTIONS.md"],
  [
    "an unknown provider",
    JSON.stringify({ ...config, model: { provider: "acme", model: "m" } }),
    'expected one of "anthropic"|"openai"|"groq"|"google"|"xai"|"mistral"|"openrouter"|"custom"',
  ],
  [
    "no model",
    JSON.stringify({ ...config, model: { provider: "openai", model: "" } }),
    "model.model",
  ],
  [
    "a preflight step that this image does not know",
    JSON.stringify({ ...config, preflight: [{ provider: "ftp", params: {} }] }),
    "preflight[0].provider",
  ],
])("a configuration with %s is one line that says so", async (_name, text, words) => {
  const root = await harness.root({ config: { model: {} } });
  await rm(join(root, "run/al/config.json"));
  await writeFile(join(root, "run/al/config.json"), text);
  const run = await harness.run(root);
  expect(failureOf(run)?.error).toContain(words);
  expect(run.stdout).not.toContain("ghp_secret");
});

test("a file that cannot be read is named", async () => {
  const root = await harness.root({ config });
  await rm(join(root, "run/al/prompt"));
  await mkdir(join(root, "run/al/prompt"));
  expect(failureOf(await harness.run(root))).toMatchObject({
    code: "run-input-unreadable",
    error: expect.stringMatching(/run\/al\/prompt cannot be read: EISDIR$/),
  });
});

test("all credentials that a run was not given are named at once", async () => {
  const server = await harness.serve([]);
  const credentials = ["anthropic_key", "github_token", "git_ssh:botty"];
  const run = await harness.run(
    await harness.root(
      inputFor(server, {
        config: { credentials },
        credentials: { "git_ssh/other/id_rsa": "x".repeat(20) },
      }),
    ),
  );
  expect(failureOf(run)).toMatchObject({
    code: "credential-missing",
    error: "the run was not given the credentials github_token, git_ssh:botty",
    hint: expect.stringContaining("al creds add github_token"),
  });
  expect(server.requests).toEqual([]);
});

test.each([
  ["anthropic", 404, '{"type":"error","error":{"type":"not_found_error","message":"model: m-9"}}'],
  [
    "openai",
    404,
    '{"error":{"message":"The model `m-9` does not exist","code":"model_not_found"}}',
  ],
  [
    "google",
    404,
    '{"error":{"code":404,"message":"models/m-9 is not found","status":"NOT_FOUND"}}',
  ],
  ["mistral", 400, '{"object":"error","message":"Invalid model: m-9","code":"1500"}'],
  ["openrouter", 400, '{"error":{"message":"m-9 is not a valid model ID","code":400}}'],
] as const)("a model that %s does not have is named", async (provider, status, body) => {
  const faults = [{ kind: "status", status, body, times: 0 }] as const;
  const server = await harness.serve([{ turns: [{ faults }] }]);
  const given = inputFor(server, {}, { provider, model: "m-9" });
  expect(failureOf(await harness.run(await harness.root(given)))).toMatchObject({
    code: "model-unknown",
    error: expect.stringMatching(`^the provider ${provider} has no model m-9: `),
  });
  expect(server.requests).toHaveLength(1);
});

test.each(["77", "42", "124", "oops", ""])(
  "al-exit with %j ends with 15 and says so",
  async (text) => {
    const write = `mkdir -p "$AL_SIGNAL_DIR"; printf %s '${text}' > "$AL_SIGNAL_DIR/.x"; mv "$AL_SIGNAL_DIR/.x" "$AL_SIGNAL_DIR/exit"; sleep 30`;
    const server = await harness.serve([{ turns: [bash(write), { text: "no" }] }]);
    const run = await harness.run(await harness.root(inputFor(server)));
    expect(run.code).toBe(15);
    expect(run.log.find(({ msg }) => msg === "al-exit")).toMatchObject({
      level: "warn",
      exitCode: 15,
      given: text,
      hint: "al-exit takes 0, 1 or 10 to 16",
    });
  },
);

/** A gateway that answers with these, the last one again and again; undefined hangs up. */
async function startGateway(answers: readonly ({ status: number; body?: unknown } | undefined)[]) {
  const paths: (string | undefined)[] = [];
  const gateway = createServer((request, response) => {
    const answer = answers[Math.min(paths.length, answers.length - 1)];
    paths.push(request.url);
    if (answer) response.writeHead(answer.status).end(JSON.stringify(answer.body ?? {}));
    else request.socket.destroy();
  });
  await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void gateway.close());
  return { paths, url: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}` };
}

async function runWithGateway(url: string) {
  const server = await harness.serve([{ turns: [{ text: "ok" }] }]);
  const given = { ...inputFor(server, { secret: "run-secret-0123" }), credentials: {} };
  return harness.run(await harness.root(given), { env: { GATEWAY_URL: url } });
}

test("a gateway that is not ready yet is asked again", async () => {
  const credentials = { anthropic_key: { default: { token: KEY } } };
  const answers = [{ status: 503 }, undefined, { status: 200, body: credentials }];
  const gateway = await startGateway(answers);
  const run = await runWithGateway(gateway.url);
  expect(run.code).toBe(0);
  expect(run.log[1]?.msg).toBe("credentials loaded from gateway");
  expect(gateway.paths).toEqual(Array(3).fill("/credentials/run-secret-0123"));
});

test.each([
  [403, 1, "loading credentials: the gateway does not know this run's secret: HTTP 403"],
  [404, 1, "loading credentials: the gateway has no credentials for runs: HTTP 404"],
  [503, 6, "loading credentials: the gateway is not ready: HTTP 503"],
])("a gateway that answers %i is asked %i times and named", async (status, times, error) => {
  const gateway = await startGateway([{ status }]);
  const run = await runWithGateway(gateway.url);
  expect(failureOf(run)).toMatchObject({ code: "credentials-unavailable", error });
  expect(gateway.paths).toHaveLength(times);
  expect(run.stdout).not.toContain("run-secret-0123");
});

test("a gateway that is not there is named without the run's secret", async () => {
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
  await new Promise((resolve) => gone.close(resolve));
  const run = await runWithGateway(url);
  expect(failureOf(run)?.error).toBe(
    `loading credentials: the gateway at ${url} cannot be reached: ECONNREFUSED`,
  );
  expect(run.stdout).not.toContain("run-secret-0123");
});
