import type { Environment } from "./environment.ts";

const GITHUB_HELPER = "credential.https://github.com.helper";
/** `$GITHUB_TOKEN` is read when git asks, and by git's shell alone: no file and no argument holds it. */
const HELPER = `!f() { test "$1" = get && printf 'username=x-access-token\\npassword=%s\\n' "$GITHUB_TOKEN"; }; f`;

/**
 * The variables by which git over HTTPS shows GITHUB_TOKEN to GitHub and to nobody else. Settings
 * that the image passes to git in the same way stay.
 */
export function gitHttpsVariables(env: Pick<Environment, "get">): Map<string, string> {
  const given = Number(env.get("GIT_CONFIG_COUNT") ?? 0);
  const first = Number.isInteger(given) && given > 0 ? given : 0;
  // An empty helper forgets those of the image, which would see the token to store it.
  const values = ["", HELPER];
  return new Map([
    ["GIT_CONFIG_COUNT", String(first + values.length)],
    ...values.flatMap((value, index): [string, string][] => [
      [`GIT_CONFIG_KEY_${first + index}`, GITHUB_HELPER],
      [`GIT_CONFIG_VALUE_${first + index}`, value],
    ]),
  ]);
}
