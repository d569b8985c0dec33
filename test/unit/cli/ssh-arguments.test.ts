import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sshArguments } from "../../../src/cli/ssh-arguments.ts";

const directory = mkdtempSync(join(tmpdir(), "al ssh 100%h-"));
afterAll(() => rmSync(directory, { recursive: true }));

const place = {
  host: "web-1",
  address: "203.0.113.7",
  port: 2222,
  user: "deploy",
  identity: join(directory, "private_key"),
  knownHosts: join(directory, "known_hosts"),
};
writeFileSync(place.identity, "");

/** What OpenSSH itself makes of the arguments. */
function settings(command: readonly string[] = []): string[] {
  const argv = ["-G", ...sshArguments(place, command)];
  return execFileSync("ssh", argv, { encoding: "utf8", stdio: "pipe" }).split("\n");
}

test("OpenSSH takes one key for itself, and one for the host", () => {
  expect(settings()).toEqual(
    expect.arrayContaining([
      "hostname 203.0.113.7",
      "user deploy",
      "port 2222",
      `identityfile ${place.identity.replace("%", "%%")}`,
      "identitiesonly yes",
      "identityagent none",
      "passwordauthentication no",
      "stricthostkeychecking true",
      "hostkeyalias web-1",
      `userknownhostsfile ${place.knownHosts}`,
      "globalknownhostsfile /dev/null",
      "updatehostkeys false",
    ]),
  );
});

test("a command goes over as the same words, whatever is in them", () => {
  const command = ["printf", "%s\n", "a b", "$HOME; it's", "-oProxyCommand=x"];
  const [sent, ...rest] = sshArguments(place, command).slice(-1);
  expect(rest).toEqual([]);
  expect(execFileSync("sh", ["-c", sent ?? ""], { encoding: "utf8" })).toBe(
    "a b\n$HOME; it's\n-oProxyCommand=x\n",
  );
});

test("without a command nothing follows the address: a shell", () => {
  expect(sshArguments(place, []).slice(-2)).toEqual(["--", "203.0.113.7"]);
});
