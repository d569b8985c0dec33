import { afterAll, beforeAll, expect, test } from "vitest";
import { startHost } from "../lab/host.ts";
import { jsonLines, runAl } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import { type SampleOptions, writeSampleProject } from "../world/sample-project.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

const PROJECT = "errors";
const MODEL = { provider: "anthropic", model: "claude-scripted", baseUrl: "http://127.0.0.1:9" };

let world: World;
let sample: SampleOptions;

beforeAll(async () => {
  world = await createWorld("errors", () => {});
  const { address, port } = world.host;
  const host = { name: "one", address, port };
  sample = { project: PROJECT, baseImage: world.lab.baseImage, host, model: MODEL };
  await commitSample();
});

afterAll(async () => world?.remove(PROJECT));

async function commitSample(change: Partial<SampleOptions> = {}): Promise<void> {
  await writeSampleProject(world.copy, { ...sample, ...change });
  await world.copy.commit(`sample ${Date.now()}`);
  await world.copy.push();
}

/** Everything that could have been changed on the host: the project's directory and its objects. */
async function hostPrint(host = world.host): Promise<string> {
  const script = `cd /home/deploy; find . -type f ! -name 'state.db*' ! -name 'runtime.lock*' ! -path '*/logs/*' -exec sha256sum {} + 2>/dev/null | sort
    docker ps -aq --no-trunc | sort; docker network ls -q --no-trunc | sort; docker images -q --no-trunc | sort`;
  return (await host.exec(["sh", "-c", script])).stdout;
}

/** Runs `al apply`, expects it to fail, and returns what it said of the host. */
async function failedApply(): Promise<{ text: string; code: string }> {
  const text = await world.al("apply");
  expect(text.code).toBe(1);
  const summary = jsonLines((await world.al("--json", "apply")).stdout).at(-1) as {
    hosts?: { kind: string; error?: { code: string } }[];
    code?: string;
  };
  const code = summary.hosts?.[0]?.error?.code ?? summary.hosts?.[0]?.kind ?? summary.code ?? "";
  return { text: `${text.stdout}\n${text.stderr}`, code };
}

test("a host whose key nobody approved is not even authenticated to", async () => {
  const { text, code } = await failedApply();
  expect(code).toBe("approval-needed");
  expect(text).toContain(`al approve host one ${world.host.hostKeyFingerprint}`);
  expect(text).toContain("al approve grant anthropic_key:default greeter one");
  expect(await hostPrint()).not.toContain(".action-llama");
});

test("a fingerprint that is not the host's is refused", async () => {
  const wrong = `SHA256:${"A".repeat(43)}`;
  const { code, stderr } = await world.al("approve", "host", "one", wrong);
  expect(code).toBe(1);
  expect(stderr).toContain(world.host.hostKeyFingerprint);
});

test("a missing credential is named with the command that adds it, and nothing is changed on the host", async () => {
  await world.approveAll();
  const before = await hostPrint();
  const { text, code } = await failedApply();
  expect(code).toBe("credential-missing");
  expect(text).toContain("anthropic_key/default/token (for greeter)");
  expect(text).toContain("Run `al creds add anthropic_key`, then apply again.");
  expect(await hostPrint()).toBe(before);
});

test("all problems of bad files are listed with file, line and key, and nothing is changed", async () => {
  await addCredential(world.home, "anthropic_key/default/token", "sk-not-used");
  await world.copy.write("greeter/agent-config.toml", `shedule = "0 5 1 1 *"\ntimeout = -1\n`);
  await world.copy.write("broken/agent-config.toml", "schedule = \n");
  await world.copy.commit("bad files");
  await world.copy.push();
  const before = await hostPrint();
  const { text, code } = await failedApply();
  expect(code).toBe("invalid-project");
  expect(text).toContain("greeter/agent-config.toml:1: shedule");
  expect(text).toContain("did you mean");
  expect(text).toContain("greeter/agent-config.toml:2: timeout");
  expect(text).toContain("broken/agent-config.toml:1");
  expect(text).toContain("broken/ACTIONS.md");
  expect(await hostPrint()).toBe(before);
  await world.copy.remove("broken");
  await commitSample();
});

test("a host that cannot be reached is named with its address", async () => {
  await commitSample({ host: { ...sample.host, port: 2 } });
  const { text, code } = await failedApply();
  expect(code).toBe("unreachable");
  expect(text).toContain("one: unreachable");
  expect(text).toContain(`${sample.host.address}:2`);
  await commitSample();
});

test("a host without a running Docker says so, and what to do", async () => {
  await world.host.exec(["sh", "-c", "touch /run/dockerd.stopped; pkill dockerd; sleep 1"]);
  const { text, code } = await failedApply();
  expect(code).toMatch(/^docker-(down|missing)$/);
  expect(text).toMatch(/one.*Docker/s);
  await world.host.exec(["sh", "-c", "rm -f /run/dockerd.stopped"]);
  await world.host.ready();
});

test("a disk without room is found before anything is sent", async () => {
  const log = () => {};
  const diskBytes = 200 * 1024 * 1024;
  const small = await startHost(world.lab.engine, { name: "small", log, diskBytes });
  try {
    await addCredential(world.home, "vps_ssh/default/private_key", small.privateKey);
    const host = { name: "small", address: small.address, port: small.port };
    await commitSample({ host });
    orFail(await world.al("approve", "host", "small", small.hostKeyFingerprint));
    orFail(await world.al("approve", "grant", "anthropic_key:default", "greeter", "small"));
    const { text, code } = await failedApply();
    expect(code).toBe("disk-full");
    expect(text).toMatch(/small: image al-.* needs \d+ MB of disk, \d+ MB are free/);
    const images = await small.exec(["docker", "images", "-q"]);
    expect(images.stdout).toBe("");
    expect((await small.exec(["docker", "ps", "-aq"])).stdout).toBe("");
  } finally {
    await small.stop();
    await addCredential(world.home, "vps_ssh/default/private_key", world.host.privateKey);
    await commitSample();
    orFail(await world.al("host", "forget", "small"));
  }
});

test("a host with another key than the approved one is refused and asked about", async () => {
  orFail(await world.al("apply"));
  const before = await hostPrint();
  await world.host.exec([
    "sh",
    "-c",
    "rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; pkill -o sshd; sleep 2",
  ]);
  await world.host.ready();
  const { text, code } = await failedApply();
  expect(code).toBe("approval-needed");
  expect(text).toContain(`The approved key was ${world.host.hostKeyFingerprint}`);
  const status = await world.al("status");
  expect(status.code).toBe(1);
  expect(status.stdout).toContain("key");
  expect(await hostPrint()).toBe(before);
});

test("a directory that is no repository, and an unknown agent, say what to do next", async () => {
  const nowhere = await runAl(["-p", world.home, "plan"], world.options);
  expect(nowhere.code).toBe(1);
  expect(nowhere.stderr).toContain("is not in a git repository");
  expect(nowhere.stderr).toContain("git init");
  const { code, stderr } = await world.al("run", "nobody");
  expect(code).toBe(1);
  expect(stderr).toContain("there is no agent nobody");
  expect(stderr).toContain("greeter");
});
