import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { jsonLines, spawnAl } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import { hostState } from "../world/host-state.ts";
import { instructions, type SampleOptions, writeSampleProject } from "../world/sample-project.ts";
import { createPerson, type Person } from "../world/second-home.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

const PROJECT = "locked";

/** Every change here has an image of its own to build and to send. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let world: World;
/** Two people with homes and clones of their own; each has approved the host and the grants. */
let first: Person;
let second: Person;

beforeAll(async () => {
  world = await createWorld("locked", () => {});
  const { host, lab, home } = world;
  await addCredential(home, "anthropic_key/default/token", "sk-not-used");
  const sample: SampleOptions = {
    project: PROJECT,
    baseImage: lab.baseImage,
    host: { name: "one", address: host.address, port: host.port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: "http://127.0.0.1:9" },
  };
  await writeSampleProject(world.copy, sample);
  await world.copy.commit("first");
  await world.copy.push();
  await world.approveAll();
  orFail(await world.al("apply"));
  [first, second] = [await createPerson(world, "first"), await createPerson(world, "second")];
  for (const { copy } of [first, second]) await writeSampleProject(copy, sample);
});

afterAll(async () => world?.remove(PROJECT));

/** A commit of one person's clone alone, with a prompt and an image of its own. */
async function change(person: Person, word: string): Promise<string> {
  await person.copy.write("greeter/ACTIONS.md", instructions(word));
  await person.copy.write("greeter/greeting.txt", `hello ${word}\n`);
  return person.copy.commit(word);
}

/** The host is wholly at one commit: live, confirmed, nothing half made, nothing left behind. */
async function expectWhollyAt(person: Person, commit: string): Promise<void> {
  const state = await hostState(world.host, PROJECT);
  expect(state.current.revision).toBe(commit);
  expect(state.runningRuntimes).toEqual([state.current.runtime]);
  expect(state.temporary).toEqual([]);
  expect(state.unlisted).toEqual([]);
  const plan = await person.al("plan");
  expect(plan).toMatchObject({ code: 0, stdout: "one: nothing to do" });
}

/** An `al apply` that is stopped at the moment at which a kind of step starts. */
async function applyUntil(person: Person, step: string, signal: NodeJS.Signals) {
  const child = spawnAl(["-p", person.copy.directory, "--json", "apply"], person.options);
  child.stdin.end();
  const lines: string[] = [];
  const errors: string[] = [];
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    const { kind, action } = JSON.parse(line) as {
      kind: string;
      action?: { step: { kind: string } };
    };
    if (kind !== "action-started" || action?.step.kind !== step) return;
    child.kill(signal);
    resolve();
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  const early = ended.then(() =>
    Promise.reject(new Error(`it never got there: ${lines} ${errors}`)),
  );
  await Promise.race([reached, signal === "SIGKILL" ? reached : early]);
  early.catch(() => {});
  return { child, ended, output: () => [...lines, ...errors].join("\n") };
}

/** The other ends of the SSH connections a host has. */
const CONNECTED_PORTS = "ss -Htn state established '( sport = :22 )' | sed 's/.*://; s/ *$//'";

/** Drops every packet of the connections in /tmp/cut, both ways, or stops to. */
function drop(verb: "-I" | "-D"): string {
  return `for port in $(cat /tmp/cut); do
    iptables ${verb} INPUT -p tcp --dport 22 --sport "$port" -j DROP
    iptables ${verb} OUTPUT -p tcp --sport 22 --dport "$port" -j DROP
  done`;
}

/** How many connections of the SSH user the host has. */
async function sessions(): Promise<number> {
  const { stdout } = await world.host.exec(["sh", "-c", "pgrep -c -u deploy sshd || true"]);
  return Number(stdout);
}

test("two applies at once of two commits leave the host wholly at one of them", async () => {
  for (const round of [1, 2]) {
    const commits = [await change(first, `a${round}`), await change(second, `b${round}`)] as const;
    const results = await Promise.all([first.al("--json", "apply"), second.al("--json", "apply")]);
    for (const { code, stdout, stderr } of results) expect(code, `${stdout}\n${stderr}`).toBe(0);
    const { current } = await hostState(world.host, PROJECT);
    const winner = commits.indexOf(current.revision);
    expect(winner).toBeGreaterThanOrEqual(0);
    await expectWhollyAt(winner === 0 ? first : second, current.revision);
    const waited = results.flatMap(({ stdout }) => jsonLines(stdout)).map(({ kind }) => kind);
    expect(waited.filter((kind) => kind === "waiting-for-lock")).toHaveLength(2);
  }
});

test("one that is stopped while it holds the lock loses it, and can do nothing late", async () => {
  await change(first, "stopped");
  const stopped = await applyUntil(first, "write-release", "SIGSTOP");
  const commit = await change(second, "goes-on");
  const startedAt = Date.now();
  orFail(await second.al("apply"));
  const waitedMs = Date.now() - startedAt;
  expect(waitedMs).toBeGreaterThan(10_000);
  await expectWhollyAt(second, commit);
  expect(await sessions()).toBe(0);
  const before = await hostState(world.host, PROJECT);
  stopped.child.kill("SIGCONT");
  const [code] = await stopped.ended;
  expect(code).toBe(1);
  expect(stopped.output()).toMatch(/lock-lost|connection-lost/);
  await delay(1000);
  expect(await hostState(world.host, PROJECT)).toEqual(before);
  await expectWhollyAt(second, commit);
});

test("one that is killed while it holds the lock frees it at once", async () => {
  await change(first, "killed");
  const killed = await applyUntil(first, "deliver-image", "SIGKILL");
  const commit = await change(second, "after-killed");
  const startedAt = Date.now();
  orFail(await second.al("apply"));
  expect(Date.now() - startedAt).toBeLessThan(60_000);
  await killed.ended;
  await expectWhollyAt(second, commit);
});

test("one whose packets stop while it holds the lock loses it after the silence", async () => {
  await change(first, "cut-off");
  const { host } = world;
  const stopped = await applyUntil(first, "deliver-image", "SIGSTOP");
  await host.exec(["sh", "-c", `${CONNECTED_PORTS} > /tmp/cut; ${drop("-I")}`]);
  stopped.child.kill("SIGCONT");
  const commit = await change(second, "after-cut-off");
  orFail(await second.al("apply"));
  await expectWhollyAt(second, commit);
  const before = await hostState(host, PROJECT);
  await host.exec(["sh", "-c", drop("-D")]);
  const [code] = await stopped.ended;
  expect(code).toBe(1);
  expect(stopped.output()).toMatch(/lock-lost|connection-lost|timeout|unreachable/);
  expect(await hostState(host, PROJECT)).toEqual(before);
  await expectWhollyAt(second, commit);
});
