import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { credentialTypes } from "../../../src/core/credential-types.ts";
import { bash, EntryHarness, inputFor, type RunFiles, type RunOptions } from "./entry-harness.ts";

let harness: EntryHarness;

beforeAll(async () => {
  harness = await EntryHarness.create();
}, 60_000);

afterAll(() => harness.dispose());

/** The environment that an agent's command sees, without what git and pi are given. */
async function environmentOf(
  files: { credentials: Record<string, string>; config?: Partial<RunFiles["config"]> },
  options: RunOptions = {},
): Promise<Record<string, string>> {
  const server = await harness.serve([{ turns: [bash("env -0 > env"), { text: "ok" }] }]);
  const root = await harness.root(inputFor(server, files));
  const run = await harness.run(root, options);
  expect(run.code).toBe(0);
  const entries = (await readFile(join(root, "tmp/env"), "utf8")).split("\0").filter(Boolean);
  return Object.fromEntries(
    entries.map((entry) => [
      entry.slice(0, entry.indexOf("=")),
      entry.slice(entry.indexOf("=") + 1),
    ]),
  );
}

const value = (path: string) => `value of ${path}`;

test("every type's fields become its variables, and nothing else becomes one", async () => {
  const types = [...credentialTypes.values()];
  const paths = types.flatMap(({ name, fields }) =>
    fields.map((field) => `${name}/default/${field}`),
  );
  const credentials = Object.fromEntries(
    [...paths, "our_own/default/thing"]
      .filter((path) => !path.startsWith("anthropic_key/"))
      .map((path) => [path, value(path)]),
  );
  const found = await environmentOf({ credentials });
  const injected = Object.entries(found).filter(([, text]) => text.startsWith("value of "));
  const table = {
    GITHUB_TOKEN: "github_token/token",
    GH_TOKEN: "github_token/token",
    SENTRY_AUTH_TOKEN: "sentry_token/token",
    LINEAR_API_TOKEN: "linear_token/token",
    BUGSNAG_AUTH_TOKEN: "bugsnag_token/token",
    NETLIFY_AUTH_TOKEN: "netlify_token/token",
    MINTLIFY_API_TOKEN: "mintlify_token/token",
    LINEAR_CLIENT_ID: "linear_oauth/client_id",
    LINEAR_CLIENT_SECRET: "linear_oauth/client_secret",
    LINEAR_ACCESS_TOKEN: "linear_oauth/access_token",
    LINEAR_REFRESH_TOKEN: "linear_oauth/refresh_token",
    GIT_AUTHOR_NAME: "git_ssh/username",
    GIT_COMMITTER_NAME: "git_ssh/username",
    GIT_AUTHOR_EMAIL: "git_ssh/email",
    GIT_COMMITTER_EMAIL: "git_ssh/email",
    X_API_KEY: "x_twitter_api/api_key",
    X_API_SECRET: "x_twitter_api/api_secret",
    X_BEARER_TOKEN: "x_twitter_api/bearer_token",
    X_ACCESS_TOKEN: "x_twitter_api/access_token",
    X_ACCESS_TOKEN_SECRET: "x_twitter_api/access_token_secret",
    REDDIT_CLIENT_ID: "reddit_oauth/client_id",
    REDDIT_CLIENT_SECRET: "reddit_oauth/client_secret",
    REDDIT_USERNAME: "reddit_oauth/username",
    REDDIT_PASSWORD: "reddit_oauth/password",
    REDDIT_USER_AGENT: "reddit_oauth/user_agent",
    AWS_ACCESS_KEY_ID: "aws/access_key_id",
    AWS_SECRET_ACCESS_KEY: "aws/secret_access_key",
    AWS_DEFAULT_REGION: "aws/default_region",
  };
  expect(Object.fromEntries(injected)).toEqual(
    Object.fromEntries(
      Object.entries(table).map(([name, path]) => [name, value(path.replace("/", "/default/"))]),
    ),
  );
  expect(found.GIT_SSH_COMMAND).toContain("StrictHostKeyChecking=yes");
});

test("of several instances the last that is listed counts, as a whole", async () => {
  const credentials = {
    "aws/default/access_key_id": "default-id",
    "aws/default/default_region": "eu-default-1",
    "aws/one/access_key_id": "one-id",
    "aws/one/default_region": "eu-one-1",
    "aws/two/access_key_id": "two-id",
    "linear_token/zeta/token": "zeta-token",
    "linear_token/default/token": "default-token",
    "sentry_token/beta/token": "beta-token",
    "sentry_token/gamma/token": "gamma-token",
  };
  const found = await environmentOf({
    credentials,
    config: { credentials: ["aws:one", "aws:two"] },
  });
  expect(found.AWS_ACCESS_KEY_ID).toBe("two-id");
  expect(found).not.toHaveProperty("AWS_DEFAULT_REGION");
  // Not listed: the default one, else the first.
  expect(found.LINEAR_API_TOKEN).toBe("default-token");
  expect(found.SENTRY_AUTH_TOKEN).toBe("beta-token");
});

test("commands see the gateway, the time they have, the run's secret and the signals' directory", async () => {
  const credentials = {};
  const given = {
    GATEWAY_URL: "http://192.0.2.1:7070",
    TIMEOUT_SECONDS: "77",
    AL_SIGNAL_DIR: "sig",
  };
  expect(await environmentOf({ credentials }, { env: given })).toMatchObject(given);
  expect(await environmentOf({ credentials })).toMatchObject({ TIMEOUT_SECONDS: "3600" });
  const config = { timeoutSeconds: 900 };
  expect(await environmentOf({ credentials, config })).toMatchObject({ TIMEOUT_SECONDS: "900" });
});
