/** Variables a git process may see; nothing else of ours is inherited. */
export type GitVariables = Readonly<Record<string, string>>;

const DEFAULT_PATH =
  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin";

const SETTINGS: readonly (readonly [string, string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["protocol.allow", "never"],
  ["protocol.file.allow", "always"],
  ["protocol.https.allow", "always"],
  ["protocol.ssh.allow", "always"],
  ["submodule.recurse", "false"],
  ["fetch.recurseSubmodules", "false"],
  ["maintenance.auto", "false"],
  ["gc.auto", "0"],
  ["safe.directory", "*"],
  ["credential.helper", ""],
];

/**
 * A hermetic environment: no system or user configuration, no prompts, no hooks, no submodules,
 * and no protocols but file, https and ssh. `variables` are added: SSH_AUTH_SOCK, for example.
 */
export function gitEnvironment(variables: GitVariables = {}): Record<string, string> {
  const settings = Object.fromEntries(
    SETTINGS.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  );
  return {
    PATH: DEFAULT_PATH,
    LC_ALL: "C",
    HOME: "/nonexistent",
    GIT_SSH_COMMAND: "ssh -oBatchMode=yes",
    ...variables,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_NO_LAZY_FETCH: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_CONFIG_COUNT: String(SETTINGS.length),
    ...settings,
  };
}
