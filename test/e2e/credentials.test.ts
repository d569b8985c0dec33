import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mustRun } from "../lab/command.ts";
import { type ModelServer, startModelServer } from "../model-server/server.ts";
import { type AlResult, jsonLines, runAl } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import { hostState } from "../world/host-state.ts";
import { initWorkingCopy } from "../world/repository.ts";
import { sampleProcesses } from "../world/sample-processes.ts";
import { instructions, type SampleOptions, writeSampleProject } from "../world/sample-project.ts";
import { type Person, secondPerson } from "../world/second-person.ts";
import { alOnTerminal } from "../world/terminal.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

// Person A holds the model's key; person B does not, but holds the agent's other credential.
const PROJECT = "creds";
const OTHER = "creds-two";
const KEY = "sk-first-tell-nobody";
const ROTATED = "sk-second-tell-nobody";
const TOKEN = "ghp-tell-nobody";
const OTHER_KEY = "sk-of-the-other-project-tell-nobody";
const MODEL_KEY = "anthropic_key/default/token";
const GITHUB = "github_token/default/token";

let world: World;
let model: ModelServer;
let b: Person;
let sample: SampleOptions;
/** Images are built, and on a busy machine that takes minutes. */
const FIRST_DEPLOYMENT_MS = 400_000;
/** Everything any `al` printed here, to be searched for values. */
const printed: string[] = [];

beforeAll(async () => {
  world = await createWorld(PROJECT, () => {}, { hasBase: true });
  const script = [{ turns: [{ text: "I greet." }] }];
  model = await startModelServer({ host: world.host.gatewayAddress, expectedKey: KEY, script });
  const { address, port } = world.host;
  sample = {
    project: PROJECT,
    baseImage: world.lab.baseImage,
    host: { name: "one", address, port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: model.url },
  };
  await writeSampleProject(world.copy, sample);
  await pushed("first");
  b = await secondPerson(world);
  await addCredential(b.home, GITHUB, TOKEN);
});

afterAll(async () => {
  await model?.close();
  await b?.remove();
  await world?.remove(PROJECT);
});

const remember = (result: AlResult) => {
  printed.push(result.stdout, result.stderr);
  return result;
};
const asA = async (...args: string[]) => remember(await world.al(...args));
const asB = async (...args: string[]) => remember(await b.al(...args));

async function pushed(message: string): Promise<string> {
  const revision = await world.copy.commit(message);
  await world.copy.push();
  return revision;
}

/** Bytes, modes and times of everything in a person's store. */
async function storePrint(home: string): Promise<string> {
  const root = join(home, ".action-llama/credentials");
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const lines = await Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode, mtimeMs, size } = await stat(path);
      const bytes = entry.isFile() ? await readFile(path) : "";
      const hash = createHash("sha256").update(bytes).digest("hex");
      return `${path} ${mode} ${mtimeMs} ${size} ${hash}`;
    }),
  );
  return lines.sort().join("\n");
}

/** Every file of a project on the host that an operator's command may write, with its hash. */
async function projectPrint(project: string): Promise<string> {
  const script = `cd /home/deploy/.action-llama/projects/${project} && find . -type f ! -name 'state.db*' ! -name '*lock*' ! -path './logs/*' -exec sha256sum {} + | sort`;
  const { stdout } = await world.host.exec(["sh", "-c", script]);
  return stdout;
}

/** Paths and values of the live credential set. */
async function liveSet(project = PROJECT): Promise<Record<string, string>> {
  const { current } = await hostState(world.host, project);
  const script = `cd /home/deploy/.action-llama/projects/${project}/credentials/${current.credentials} && for path in */*/*; do printf '%s\\n%s\\n' "$path" "$(cat "$path")"; done`;
  const lines = (await world.host.exec(["sh", "-c", script])).stdout.trimEnd().split("\n");
  const paths = lines.filter((_, index) => index % 2 === 0);
  return Object.fromEntries(paths.map((path, index) => [path, lines[index * 2 + 1] ?? ""]));
}

async function runsWith(key: string): Promise<void> {
  model.expectKey(key);
  const { stdout } = orFail(await asA("run", "greeter", "--follow"));
  expect(stdout).toMatch(/of greeter: completed, exit 0 after/);
  expect(model.requests.at(-1)).toMatchObject({ keySent: true, status: 200 });
}

test("a credential is stored from standard input or on a terminal, and shown nowhere", async () => {
  const options = { ...world.options, stdin: `${KEY}\n` };
  const added = remember(
    await runAl(["creds", "add", "anthropic_key", "--field", "token=-"], options),
  );
  expect(orFail(added).stdout).toContain("stored token");
  const answers = [
    { to: "access_key_id of aws", type: "AKIA\r" },
    { to: "secret_access_key of aws", type: "secret-tell-nobody\r" },
    { to: "default_region of aws", type: "eu-west-1\r" },
  ];
  const { code, screen } = await alOnTerminal(["creds", "add", "aws"], answers, world.options);
  expect(code).toBe(0);
  expect(screen).not.toContain("tell-nobody");
  expect(screen).toContain("eu-west-1");
  const secret = join(world.home, ".action-llama/credentials/aws/default/secret_access_key");
  expect(await readFile(secret, "utf8")).toBe("secret-tell-nobody");
  const listed = (await asA("creds", "ls")).stdout;
  expect(listed).toContain("anthropic_key: token; changed just now; used by greeter");
  expect(listed).toContain("aws: access_key_id, default_region, secret_access_key");
});

test("a value on the command line is refused, and removing asks", async () => {
  const refused = await asA("creds", "add", "aws", "--field", "access_key_id=x-tell-nobody");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("may not stand on the command line");
  expect((await asA("creds", "rm", "aws")).stderr).toContain("al creds rm aws --yes");
  const no = [{ to: "Remove aws", type: "n" }];
  expect((await alOnTerminal(["creds", "rm", "aws"], no, world.options)).code).toBe(1);
  orFail(await asA("creds", "rm", "aws", "--yes"));
  expect((await asA("creds", "ls")).stdout).not.toContain("aws");
});

test("before anything is deployed a push is refused, and says what to do", async () => {
  const { code, stdout } = await asA("push");
  expect(code).toBe(1);
  expect(stdout).toContain("approval needed");
  await world.approveAll();
  const refused = await asA("push");
  expect(refused.code).toBe(1);
  expect(refused.stdout).toContain("nothing is live there yet");
  expect(refused.stdout).toContain("al apply");
});

test("who holds the key deploys; the store is byte for byte as before", {
  timeout: FIRST_DEPLOYMENT_MS,
}, async () => {
  const before = await storePrint(world.home);
  await asA("plan");
  orFail(await asA("apply"));
  orFail(await asA("push"));
  expect(await storePrint(world.home)).toBe(before);
  expect(await liveSet()).toEqual({ [MODEL_KEY]: KEY });
  await runsWith(KEY);
});

test("who does not hold it changes the prompt, and the credential stays", async () => {
  await world.copy.write("greeter/ACTIONS.md", instructions("banana"));
  const revision = await pushed("prompt");
  const before = await storePrint(b.home);
  const { credentials } = (await hostState(world.host, PROJECT)).current;
  await b.approveAll();
  orFail(await asB("apply"));
  expect((await hostState(world.host, PROJECT)).current).toMatchObject({ revision, credentials });
  expect(await storePrint(b.home)).toBe(before);
  expect((await asB("plan")).stdout).toContain("one: nothing to do");
  await runsWith(KEY);
});

test("a set of what one holds and what only the host has is made on the host", {
  timeout: FIRST_DEPLOYMENT_MS,
}, async () => {
  await world.copy.write(
    "greeter/agent-config.toml",
    `schedule = "0 5 1 1 *"\ncredentials = ["github_token"]\n`,
  );
  await pushed("one more credential");
  const lacking = await asA("apply");
  expect(lacking.code).toBe(1);
  await world.approveAll();
  const missing = await asA("apply");
  expect(missing.stdout).toContain(`missing credential: ${GITHUB} (for greeter)`);
  expect(missing.stdout).toContain("al creds add github_token");
  await b.approveAll();
  expect((await asB("plan")).stdout).toContain("(2 fields, 1 kept as on the host)");
  orFail(await asB("apply"));
  expect(await liveSet()).toEqual({ [MODEL_KEY]: KEY, [GITHUB]: TOKEN });
  await runsWith(KEY);
});

test("a rotation is pushed by who holds it, used by the next run, and seen by nobody", async () => {
  const options = { ...world.options, stdin: ROTATED };
  const add = ["creds", "add", "anthropic_key", "--field", "token=-"];
  orFail(remember(await runAl(add, options)));
  const before = (await hostState(world.host, PROJECT)).current;
  const dry = await asA("push", "--dry-run");
  expect(dry).toMatchObject({ code: 2 });
  expect(dry.stdout.split("\n")).toEqual([
    "one: credentials would change",
    "  anthropic_key:default: rotated (for greeter)",
    "  github_token:default: unchanged (for greeter), not in your store: kept as on the host",
  ]);
  expect((await hostState(world.host, PROJECT)).current).toEqual(before);
  const sampled = sampleProcesses(world.host);
  const result = orFail(await asA("--json", "push", "one"));
  const processes = await sampled.stop();
  expect(processes).toMatch(/write.*credentials|tar -xpmof/);
  expect(processes).not.toContain("tell-nobody");
  expect(jsonLines(result.stdout).at(-1)).toMatchObject({
    kind: "push",
    hosts: [{ kind: "applied", credentials: [{ change: "rotated" }, { change: "unchanged" }] }],
  });
  const after = (await hostState(world.host, PROJECT)).current;
  expect(after).toEqual({ ...before, credentials: after.credentials });
  expect(await liveSet()).toEqual({ [MODEL_KEY]: ROTATED, [GITHUB]: TOKEN });
  expect((await hostState(world.host, PROJECT)).credentialSets).toEqual([after.credentials]);
  expect((await asA("push", "--dry-run")).code).toBe(0);
  await runsWith(ROTATED);
});

test("a push serves what is live, while the project is ahead of it", async () => {
  await writeSampleProject(world.copy, sample);
  await pushed("without the second credential");
  const { stdout, code } = await asA("push", "--dry-run");
  expect([code, stdout]).toEqual([0, expect.stringContaining("github_token:default: unchanged")]);
});

test("a push needs no history: a shallow clone without the live commit does it too", async () => {
  const clone = join(world.home, "shallow");
  const script = `git clone -q --depth 1 "file://$1" "$2"; git -C "$2" remote set-url origin "$1"`;
  await mustRun(["sh", "-ec", script, "clone", world.bare, clone]);
  const live = (await hostState(world.host, PROJECT)).current.revision;
  await expect(mustRun(["git", "-C", clone, "cat-file", "-e", live])).rejects.toThrow();
  const { stdout, code } = await runAl(["-p", clone, "push", "--dry-run"], world.options);
  expect(stdout).toContain("github_token:default: unchanged");
  expect(code).toBe(0);
});

test("a credential that no agent needs any more is gone with the next set", async () => {
  orFail(await asA("apply"));
  expect(await liveSet()).toEqual({ [MODEL_KEY]: ROTATED });
  expect((await hostState(world.host, PROJECT)).credentialSets).toHaveLength(1);
});

test("two projects on one host never touch each other's credentials", {
  timeout: FIRST_DEPLOYMENT_MS,
}, async () => {
  const bare = join(world.home, "..", "other.git");
  orFail(await runAl(["controller", "init-repo", bare], world.options));
  const copy = await initWorkingCopy(join(world.home, "..", "other"), bare);
  await writeSampleProject(copy, { ...sample, project: OTHER });
  await copy.commit("first");
  await copy.push();
  const other = await secondPerson(world, bare);
  try {
    await addCredential(other.home, MODEL_KEY, OTHER_KEY);
    await other.approveAll();
    await other.approveAll();
    const ours = await projectPrint(PROJECT);
    orFail(remember(await other.al("apply")));
    await addCredential(other.home, MODEL_KEY, `${OTHER_KEY}-2`);
    orFail(remember(await other.al("push")));
    expect(await projectPrint(PROJECT)).toBe(ours);
    expect(await liveSet(OTHER)).toEqual({ [MODEL_KEY]: `${OTHER_KEY}-2` });
    const theirs = await projectPrint(OTHER);
    await addCredential(world.home, MODEL_KEY, KEY);
    orFail(await asA("push"));
    expect(await liveSet()).toEqual({ [MODEL_KEY]: KEY });
    expect(await projectPrint(OTHER)).toBe(theirs);
    await runsWith(KEY);
  } finally {
    await other.remove();
  }
});

test("no value is in anything printed, inspected, logged or listed on the host", async () => {
  expect(printed.join("\n")).not.toContain("tell-nobody");
  const script = `docker ps -aq | xargs docker inspect; docker images -q | xargs docker inspect
    docker volume ls -q | xargs -r docker volume inspect; ps axeww
    cd /home/deploy/.action-llama/projects; cat */*.json; find */logs */releases -type f -exec cat {} +
    strings */state.db* 2>/dev/null || cat */state.db*`;
  const { stdout } = await world.host.exec(["sh", "-c", script]);
  expect(stdout.length).toBeGreaterThan(1000);
  expect(stdout).not.toContain("tell-nobody");
  const controller = join(world.home, ".action-llama/controller");
  for (const path of await readdir(controller, { recursive: true })) {
    if (!path.endsWith(".db")) continue;
    expect((await readFile(join(controller, path))).includes("tell-nobody")).toBe(false);
  }
});
