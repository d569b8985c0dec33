import type { ContainerPaths } from "./container-paths.ts";
import { chosenInstance, credentialVariables } from "./credential-injection.ts";
import type { Environment } from "./environment.ts";
import { gitHttpsVariables } from "./git-https.ts";
import { installGitKey } from "./git-ssh.ts";
import type { RunCredentials } from "./run-credentials.ts";
import type { RunInput } from "./run-input.ts";
import type { RunLog } from "./run-log.ts";
import { DEFAULT_TIMEOUT_SECONDS } from "./termination-timer.ts";

/** The input itself, and keys that only the model client may use: no tool inherits them. */
const REMOVED = [
  "AGENT_CONFIG",
  "PROMPT",
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_OAUTH_TOKEN",
  "OPENAI_API_KEY",
  "GROQ_API_KEY",
  "GEMINI_API_KEY",
  "GOOGLE_API_KEY",
  "XAI_API_KEY",
  "MISTRAL_API_KEY",
  "OPENROUTER_API_KEY",
];

/** pi looks at these before it does anything; they keep it off the network and the disk. */
const PI_VARIABLES = { PI_OFFLINE: "1", PI_SKIP_VERSION_CHECK: "1", PI_TELEMETRY: "0" };

/** What {@link prepareEnvironment} works with. */
export interface Surroundings {
  readonly paths: ContainerPaths;
  readonly env: Environment;
  readonly log: RunLog;
}

/** Sets what tools inherit, removes what they must not, and returns the signal directory. */
export async function prepareEnvironment(
  { paths, env, log }: Surroundings,
  { config, secret }: RunInput,
  credentials: RunCredentials,
): Promise<string> {
  env.set("PATH", `${env.get("PATH") ?? "/usr/local/bin:/usr/bin:/bin"}:${paths.commands}`);
  for (const name of REMOVED) env.unset(name);
  const signals = env.get("AL_SIGNAL_DIR") ?? paths.signals;
  const { timeoutSeconds = DEFAULT_TIMEOUT_SECONDS } = config;
  const variables: Iterable<readonly [string, string]> = [
    ...Object.entries(PI_VARIABLES),
    ["HOME", paths.tmp],
    ["AL_SIGNAL_DIR", signals],
    ["TIMEOUT_SECONDS", env.get("TIMEOUT_SECONDS") ?? String(timeoutSeconds)],
    ["GIT_TERMINAL_PROMPT", "0"],
    ...(secret ? [["SHUTDOWN_SECRET", secret.reveal()] as const] : []),
    ...credentialVariables(credentials, config.credentials),
  ];
  for (const [name, value] of variables) env.set(name, value);
  if (env.get("GITHUB_TOKEN")) {
    for (const [name, value] of gitHttpsVariables(env)) env.set(name, value);
  }
  const key = chosenInstance(credentials, config.credentials, "git_ssh")?.get("id_rsa");
  if (key && key.byteLength > 0) {
    env.set("GIT_SSH_COMMAND", await installGitKey(key, paths));
    log.log("info", "SSH key configured for git");
  }
  return signals;
}
