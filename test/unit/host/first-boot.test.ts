import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newMachine } from "../../../src/host/new-machine.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "al-boot-"));
  symlinkSync("/usr/bin/head", join(directory, "head"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** What a machine lacks on which only the programs of our directory are. */
function lacks(): Promise<string | undefined> {
  const machine = newMachine(
    {
      host: "web-1",
      exec: async ([, ...args]) => {
        const env = { PATH: directory };
        const { status, ...rest } = spawnSync("/bin/sh", args, { env });
        return { ...rest, code: status };
      },
      close: async () => {},
    },
    { bootResult: join(directory, "result.json") },
  );
  return machine.lacks();
}

function program(name: string, script: string): void {
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, name), 0o755);
}

function firstBootEnds(...errors: string[]): void {
  const result = { v1: { datasource: "DataSourceNoCloud", errors } };
  writeFileSync(join(directory, "result.json"), JSON.stringify(result, null, 1));
}

const HARMLESS = "('locale', ProcessExecutionError(\"Unexpected error while running command.\"))";

test("a first boot that goes on is waited for, whatever is there already", async () => {
  expect(await lacks()).toBe("the end of its first boot");
  program("docker", "exit 0");
  expect(await lacks()).toBe("the end of its first boot");
});

test("a Docker that is there is waited for, and one that answers is enough, whatever else went wrong", async () => {
  firstBootEnds(HARMLESS);
  program("docker", "exit 1");
  program("dockerd", "exit 0");
  expect(await lacks()).toBe("an answer of Docker");
  program("docker", "exit 0");
  expect(await lacks()).toBeUndefined();
});

test("a first boot that ended without Docker has failed, and what cloud-init says is told", async () => {
  firstBootEnds(
    HARMLESS,
    "('package-update-upgrade-install', failed \u001b[2J)",
    "x".repeat(9_000),
  );
  const error = await lacks().catch((thrown) => thrown);
  expect(error).toMatchObject({ code: "first-boot-failed", blame: "user" });
  expect(error.message).toContain(
    "host web-1: its first boot failed: Docker is not there; ('locale'",
  );
  expect(error.message).toContain("install', failed \\u{1b}[2J)");
  expect(error.message.length).toBeLessThan(1_000);
  expect(error.hint).toContain("al deprovision web-1, then al provision web-1");
});

test("a result that cannot be read is no reason to wait", async () => {
  writeFileSync(join(directory, "result.json"), "{");
  await expect(lacks()).rejects.toMatchObject({
    message: "host web-1: its first boot failed: Docker is not there",
  });
});
