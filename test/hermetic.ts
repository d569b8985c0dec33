import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { environment } from "./lab/environment.ts";

/**
 * Runs before every test file, in its own process: nothing of the person who runs the suite may
 * leak in. No proxies, no credentials, no git configuration, an empty home directory.
 */
const leaks = /(_proxy|_token|_key|_secret|_password|_credentials)$/i;

for (const name of Object.keys(environment)) {
  if (leaks.test(name) || /^(GIT|SSH|AWS|NPM)_/i.test(name)) delete environment[name];
}

const home = mkdtempSync(join(tmpdir(), "al-test-home-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

Object.assign(environment, {
  HOME: home,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  LC_ALL: "C.UTF-8",
  TZ: "UTC",
});
