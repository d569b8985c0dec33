import { expect, test } from "vitest";
import {
  credentialTypes,
  formatCredentialRef,
  openFields,
  parseCredentialRef,
} from "../../../src/core/credential-types.ts";

test.each([
  ["github_token", { type: "github_token", instance: "default" }],
  ["git_ssh:botty", { type: "git_ssh", instance: "botty" }],
  ["github_webhook_secret:My.Org-1", { type: "github_webhook_secret", instance: "My.Org-1" }],
])("reads %s and writes it back", (text, ref) => {
  expect(parseCredentialRef(text)).toEqual(ref);
  expect(formatCredentialRef(ref)).toBe(text);
});

test("writes the default instance as the type alone", () => {
  expect(formatCredentialRef(parseCredentialRef("aws:default"))).toBe("aws");
});

test.each([
  "",
  ":",
  "a:",
  ":a",
  "a:b:c",
  "Upper",
  "_a",
  "a_",
  "a/b",
  "..",
  "a:..",
  "a:.hidden",
  "a:b/c",
  "a:b c",
  "a:b\n",
  "a\n",
  "a:\u0000",
  "x".repeat(64),
  `a:${"x".repeat(64)}`,
])("refuses %j", (text) => {
  expect(() => parseCredentialRef(text)).toThrow(/not a credential reference/);
});

test("every variable belongs to a field, and to one type only", () => {
  const variables = [...credentialTypes.values()].flatMap((type) => {
    expect(type.fields).toEqual(expect.arrayContaining(Object.keys(type.env)));
    if (type.reach !== "agent") expect(type.env).toEqual({});
    return Object.values(type.env).flat();
  });
  expect(new Set(variables).size).toBe(variables.length);
});

test("open fields exist", () => {
  for (const path of openFields) {
    const [type = "", field = ""] = path.split("/");
    expect(credentialTypes.get(type)?.fields).toContain(field);
  }
});

test("the table is the contract's", () => {
  const lines = [...credentialTypes.values()].map(({ name, reach, fields, env }) => {
    const injected = fields.flatMap((field) => env[field] ?? []);
    return [name, reach, fields.join(" "), injected.join(" ")].join(" | ");
  });
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "anthropic_key | agent | token | 
    aws | agent | access_key_id secret_access_key default_region | AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION
    bugsnag_token | agent | token | BUGSNAG_AUTH_TOKEN
    cloudflare_api_token | controller | api_token | 
    custom_key | agent | token | 
    gateway_api_key | gateway | key | 
    generic_webhook_secret | gateway | secret | 
    git_ssh | agent | id_rsa username email | GIT_AUTHOR_NAME GIT_COMMITTER_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_EMAIL
    github_token | agent | token | GITHUB_TOKEN GH_TOKEN
    github_webhook_secret | gateway | secret | 
    google_key | agent | token | 
    groq_key | agent | token | 
    hetzner_api_key | controller | api_key | 
    linear_oauth | agent | client_id client_secret access_token refresh_token | LINEAR_CLIENT_ID LINEAR_CLIENT_SECRET LINEAR_ACCESS_TOKEN LINEAR_REFRESH_TOKEN
    linear_token | agent | token | LINEAR_API_TOKEN
    linear_webhook_secret | gateway | secret | 
    mintlify_token | agent | token | MINTLIFY_API_TOKEN
    mintlify_webhook_secret | gateway | secret | 
    mistral_key | agent | token | 
    netlify_token | agent | token | NETLIFY_AUTH_TOKEN
    openai_key | agent | token | 
    openrouter_key | agent | token | 
    reddit_oauth | agent | client_id client_secret username password user_agent | REDDIT_CLIENT_ID REDDIT_CLIENT_SECRET REDDIT_USERNAME REDDIT_PASSWORD REDDIT_USER_AGENT
    sentry_client_secret | gateway | secret | 
    sentry_token | agent | token | SENTRY_AUTH_TOKEN
    tls_certificate | gateway | certificate private_key | 
    vps_ssh | controller | private_key public_key | 
    vultr_api_key | controller | api_key | 
    x_twitter_api | agent | api_key api_secret bearer_token access_token access_token_secret | X_API_KEY X_API_SECRET X_BEARER_TOKEN X_ACCESS_TOKEN X_ACCESS_TOKEN_SECRET
    xai_key | agent | token | "
  `);
});
