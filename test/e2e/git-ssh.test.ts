import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PreflightStep } from "../../src/core/preflight-step.ts";
import { startHost } from "../lab/host.ts";
import type { LabHost } from "../lab/lab-host.ts";
import { openssh } from "../lab/openssh.ts";
import { setUpLab } from "../lab/set-up.ts";
import { bash, EntryHarness, inputFor } from "../unit/agent/entry-harness.ts";

const log = () => undefined;

let harness: EntryHarness;
let host: LabHost;

beforeAll(async () => {
  const { engine, baseImage } = await setUpLab({ log });
  [host, harness] = await Promise.all([
    startHost(engine, { log, name: "git-ssh", preload: [baseImage] }),
    EntryHarness.create(),
  ]);
  await giveGit(baseImage);
  const make =
    "git init --quiet --bare --initial-branch=main acme/app.git && cd acme/app.git && " +
    "git update-ref refs/heads/main $(git -c user.name=T -c user.email=t@example.com " +
    "commit-tree -m first $(git hash-object -t tree -w /dev/null))";
  expect(await openssh(host, make)).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await harness?.dispose();
  await host?.stop();
});

/** A host has no git of its own; its images have. */
async function giveGit(image: string): Promise<void> {
  const options = '--rm -i --network none --user 1001:1001 -v /home/deploy:/home/deploy -w "$PWD"';
  const script = `#!/bin/sh\nexec docker run ${options} ${image} "$(basename "$0")" "$@"\n`;
  const programs = ["git", "git-upload-pack", "git-receive-pack"].map(
    (name) => `/usr/local/bin/${name}`,
  );
  const install = `cat > ${programs[0]}; chmod 755 ${programs[0]}; for p in ${programs.slice(1).join(" ")}; do cp ${programs[0]} $p; done`;
  await host.exec(["sh", "-c", install], Readable.from(script));
}

/** A run whose `git@github.com:` addresses lead to the lab's host. */
async function run(knownHosts: string, turns: Parameters<EntryHarness["serve"]>[0][0]["turns"]) {
  const server = await harness.serve([{ turns }]);
  const preflight: PreflightStep[] = [
    { provider: "git-clone", required: true, params: { repo: "acme/app", dest: "app" } },
  ];
  const credentials = {
    "github_token/default/token": "ghp_abcdef",
    "git_ssh/default/id_rsa": host.privateKey.trim(),
    "git_ssh/default/username": "Botty",
    "git_ssh/default/email": "botty@example.com",
  };
  const root = await harness.root(inputFor(server, { config: { preflight }, credentials }));
  await mkdir(join(root, "etc/ssh"), { recursive: true });
  await writeFile(join(root, "etc/ssh/ssh_known_hosts"), knownHosts);
  const env = {
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `url.ssh://deploy@${host.address}/home/deploy/.insteadOf`,
    GIT_CONFIG_VALUE_0: "git@github.com:",
  };
  return { root, outcome: await harness.run(root, { env }) };
}

test("a run clones, commits under its own name and pushes, over SSH to a known server", async () => {
  const work =
    "cd app && echo hello > file && git add file && git commit -qm second && git push -q";
  const { root, outcome } = await run(`${host.address} ${host.hostPublicKey}\n`, [
    bash(work),
    { text: "done" },
  ]);
  expect(outcome.log.filter((line) => line.level === "error")).toEqual([]);
  expect(outcome.code).toBe(0);
  expect(await readFile(join(root, "tmp/app/file"), "utf8")).toBe("hello\n");
  const pushed = "git -C acme/app.git log -1 --format='%an <%ae> %cn <%ce> %s' main";
  expect((await openssh(host, pushed)).stdout.trim()).toBe(
    "Botty <botty@example.com> Botty <botty@example.com> second",
  );
});

test("a server that nobody vouches for gets neither the key nor the run", async () => {
  const { outcome } = await run("", [{ text: "never" }]);
  expect(outcome.code).toBe(1);
  expect(outcome.log.at(-1)).toMatchObject({
    msg: "run failed",
    error: expect.stringContaining("Host key verification failed"),
    hint: "Add the server's key to /etc/ssh/ssh_known_hosts in the agent's Dockerfile.",
  });
});

test("a server with another key than the known one is refused", async () => {
  const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
  const { outcome } = await run(`${host.address} ${other}\n`, [{ text: "never" }]);
  expect(outcome.code).toBe(1);
  expect(outcome.log.at(-1)?.error).toContain("REMOTE HOST IDENTIFICATION HAS CHANGED");
});
