import { AlError } from "../base/errors.ts";

/** How far a credential may travel: into a run, onto a host for its gateway, or nowhere. */
export type CredentialReach = "agent" | "gateway" | "controller";

/** One kind of credential: its fields on disk, and what a run's environment gets from them. */
export interface CredentialType {
  readonly name: string;
  readonly reach: CredentialReach;
  /** File names below `<type>/<instance>/`. */
  readonly fields: readonly string[];
  /** Field to the environment variables that carry its value; a field not named is not injected. */
  readonly env: Readonly<Record<string, readonly string[]>>;
  /** The model provider whose client reads the field `token`; such a key is never injected. */
  readonly modelProvider?: string;
}

/** A credential as agents name it: `type` or `type:instance`. */
export interface CredentialRef {
  readonly type: string;
  /** `default` where the reference names none. */
  readonly instance: string;
}

/** Every built-in type by name, sorted. Types that are not here are mounted and not injected. */
export const credentialTypes: ReadonlyMap<string, CredentialType> = new Map(
  [
    agent("github_token", { token: ["GITHUB_TOKEN", "GH_TOKEN"] }),
    ...["anthropic", "openai", "groq", "google", "xai", "mistral", "openrouter", "custom"].map(
      modelKey,
    ),
    agent("sentry_token", { token: ["SENTRY_AUTH_TOKEN"] }),
    agent("linear_token", { token: ["LINEAR_API_TOKEN"] }),
    agent("bugsnag_token", { token: ["BUGSNAG_AUTH_TOKEN"] }),
    agent("netlify_token", { token: ["NETLIFY_AUTH_TOKEN"] }),
    agent("mintlify_token", { token: ["MINTLIFY_API_TOKEN"] }),
    agent(
      "linear_oauth",
      prefixed("LINEAR", ["client_id", "client_secret", "access_token", "refresh_token"]),
    ),
    agent("git_ssh", {
      id_rsa: [],
      username: ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"],
      email: ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"],
    }),
    agent(
      "x_twitter_api",
      prefixed("X", [
        "api_key",
        "api_secret",
        "bearer_token",
        "access_token",
        "access_token_secret",
      ]),
    ),
    agent(
      "reddit_oauth",
      prefixed("REDDIT", ["client_id", "client_secret", "username", "password", "user_agent"]),
    ),
    agent("aws", prefixed("AWS", ["access_key_id", "secret_access_key", "default_region"])),
    kept("vultr_api_key", "controller", ["api_key"]),
    kept("hetzner_api_key", "controller", ["api_key"]),
    kept("cloudflare_api_token", "controller", ["api_token"]),
    kept("vps_ssh", "controller", ["private_key", "public_key"]),
    kept("gateway_api_key", "gateway", ["key"]),
    kept("github_webhook_secret", "gateway", ["secret"]),
    kept("generic_webhook_secret", "gateway", ["secret"]),
    kept("linear_webhook_secret", "gateway", ["secret"]),
    kept("mintlify_webhook_secret", "gateway", ["secret"]),
    kept("sentry_client_secret", "gateway", ["secret"]),
    kept("tls_certificate", "gateway", ["certificate", "private_key"]),
  ]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((type) => [type.name, type]),
);

/**
 * Reads `type[:instance]`; both parts become directory names, so odd ones are refused.
 * @throws AlError `invalid-credential-ref` (user).
 */
export function parseCredentialRef(text: string): CredentialRef {
  const [type = "", instance = "default", ...rest] = text.split(":");
  if (rest.length > 0 || !isCredentialTypeName(type) || !isCredentialInstance(instance)) {
    throw new AlError(`not a credential reference: ${JSON.stringify(text)}`, {
      code: "invalid-credential-ref",
      blame: "user",
      hint: "Write `type` or `type:instance`, for example `github_token` or `git_ssh:botty`.",
    });
  }
  return { type, instance };
}

/** The shortest text that {@link parseCredentialRef} reads as this reference. */
export function formatCredentialRef(ref: CredentialRef): string {
  return ref.instance === "default" ? ref.type : `${ref.type}:${ref.instance}`;
}

/** True for 1-63 of a-z, 0-9, `-` and `_`, starting and ending with a letter or digit. */
export function isCredentialTypeName(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$/.test(text);
}

/** True for 1-63 letters, digits, `.`, `_` and `-`, not starting with a dot. */
export function isCredentialInstance(text: string): boolean {
  return /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}$/.test(text);
}

/** True for a name that may be a field's file: the same rule as for instances. */
export function isCredentialField(text: string): boolean {
  return isCredentialInstance(text);
}

/** Fields that are no secret, as `type/field`: logs may show them. */
export const openFields: ReadonlySet<string> = new Set([
  "git_ssh/username",
  "git_ssh/email",
  "reddit_oauth/username",
  "reddit_oauth/user_agent",
  "aws/default_region",
  "tls_certificate/certificate",
]);

/** Fields, as `type/field`, without which a credential of a known type is complete all the same. */
export const optionalFields: ReadonlySet<string> = new Set(["vps_ssh/public_key"]);

/** True for a field that holds a key file: many lines, whose newline at the end belongs to it. */
export function isKeyField(field: string): boolean {
  return ["id_rsa", "private_key", "public_key", "certificate"].includes(field);
}

/** The type whose token a provider's client needs: `anthropic` to `anthropic_key`. */
export function modelKeyType(provider: string): string {
  return `${provider}_key`;
}

function agent(name: string, env: Readonly<Record<string, readonly string[]>>): CredentialType {
  return { name, reach: "agent", fields: Object.keys(env), env };
}

function modelKey(provider: string): CredentialType {
  const name = modelKeyType(provider);
  return { name, reach: "agent", fields: ["token"], env: {}, modelProvider: provider };
}

function kept(name: string, reach: CredentialReach, fields: readonly string[]): CredentialType {
  return { name, reach, fields, env: {} };
}

function prefixed(prefix: string, fields: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(fields.map((field) => [field, [`${prefix}_${field.toUpperCase()}`]]));
}
