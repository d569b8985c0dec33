import { afterAll, beforeAll, expect, test } from "vitest";
import { type ModelServer, startModelServer } from "../model-server/server.ts";
import { jsonLines, runAl } from "../world/al.ts";
import { type ControllerProcess, startController } from "../world/controller.ts";
import { addCredential } from "../world/home.ts";
import { hostState } from "../world/host-state.ts";
import { tagBrokenImage } from "../world/images.ts";
import { instructions, type SampleOptions, writeSampleProject } from "../world/sample-project.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

const PROJECT = "line";
const KEY = "sk-the-line-never-shows-this";
const COMMAND = "cat /usr/local/share/greeting.txt; echo said {{match:word of the day is: (\\w+)}}";
const AGENT = `schedule = "0 5 1 1 *"

[[preflight]]
provider = "shell"
params = { command = "echo prepared by $(id -u)" }
`;

let world: World;
let model: ModelServer;
let controller: ControllerProcess;
let sample: SampleOptions;

beforeAll(async () => {
  world = await createWorld("line", () => {});
  const { host, home, lab, bare, options } = world;
  const turns = [
    { text: "I greet.", toolCalls: [{ name: "bash", input: { command: COMMAND } }] },
    { text: "I have greeted." },
  ];
  model = await startModelServer({
    host: host.gatewayAddress,
    expectedKey: KEY,
    script: [{ turns }],
  });
  sample = {
    project: PROJECT,
    baseImage: lab.baseImage,
    host: { name: "one", address: host.address, port: host.port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: model.url },
  };
  await addCredential(home, "anthropic_key/default/token", `${KEY}\n`);
  controller = startController(bare, options);
});

afterAll(async () => {
  await controller?.stop();
  await model?.close();
  await world?.remove(PROJECT);
});

/** The sample project, whose agent has a preflight step here. */
async function writeProject(options: SampleOptions): Promise<void> {
  await writeSampleProject(world.copy, options);
  await world.copy.write("greeter/agent-config.toml", AGENT);
}

type Event = Record<string, unknown>;
const resultOf = ({ result }: Event) => (result ?? {}) as { kind: string; aftermath?: string };

async function pushed(message: string): Promise<{ revision: string; from: number }> {
  const revision = await world.copy.commit(message);
  const from = controller.lines.length;
  await world.copy.push();
  return { revision, from };
}

/** Waits for a commit's result on the host; returns it with the kinds of steps that led there. */
async function outcomeOf({ revision, from }: { revision: string; from: number }) {
  const ends = ["applied", "failed"];
  const { event } = await controller.until(
    `the end of revision ${revision}`,
    (line) => line.revision === revision && ends.includes(resultOf(line).kind),
    { from },
  );
  const steps = controller.lines
    .slice(from)
    .filter(({ event: { kind } }) => kind === "action-finished")
    .map(({ event: { action } }) => (action as { step: { kind: string } }).step.kind);
  return { result: resultOf(event), steps };
}

async function runAndSay(word: string): Promise<void> {
  const { stdout } = orFail(await world.al("run", "greeter", "--follow"));
  expect(stdout).toContain(`$ cat /usr/local/share/greeting.txt; echo said ${word}`);
  expect(stdout).toMatch(/^.*prepared by 1000$/m);
  expect(stdout).toContain("preflight step done");
  expect(stdout).toContain("I have greeted.");
  expect(stdout).toMatch(/of greeter: completed, exit 0 after/);
  const request = model.requests.at(-1);
  expect(request).toMatchObject({ keySent: true, status: 200 });
  expect(request?.text).toContain(`hello from the image\nsaid ${word}`);
}

test("a controller waits on an empty repository, and asks for approvals after the first push", async () => {
  await controller.until("an empty repository", ({ kind }) => kind === "empty");
  await writeProject(sample);
  const { from } = await pushed("first");
  const isAsking = (event: Event) => resultOf(event).kind === "approval-needed";
  await controller.until("asking for approvals", isAsking, { from });
  await world.approveAll();
});

test("approvals wake it, and the commit is deployed and confirmed", async () => {
  const { event } = await controller.until(
    "the host to be confirmed",
    (line) => resultOf(line).kind === "applied",
  );
  const state = await hostState(world.host, PROJECT);
  expect(state.current.revision).toBe(event.revision);
  expect(state.runningRuntimes).toEqual([state.current.runtime]);
});

test("an agent is triggered, uses its tool and its image, and ends with its log on the screen", async () => {
  await runAndSay("apple");
});

test("a diff shows what a commit would change, line by line, and of credentials only names", async () => {
  const live = await runAl(["diff", "-p", world.copy.directory], world.options);
  expect(live).toMatchObject({ code: 0, stdout: "one: no differences" });
  await world.copy.write("greeter/ACTIONS.md", instructions("avocado"));
  await world.copy.commit("not pushed");
  await addCredential(world.home, "anthropic_key/default/token", `${KEY}-rotated\n`);
  const diff = await runAl(["diff", "-p", world.copy.directory], world.options);
  await addCredential(world.home, "anthropic_key/default/token", `${KEY}\n`);
  expect(diff.code).toBe(2);
  expect(diff.stdout).toContain("-Say hello with the bash tool. The word of the day is: apple.");
  expect(diff.stdout).toContain("+Say hello with the bash tool. The word of the day is: avocado.");
  expect(diff.stdout).toContain("one: credential anthropic_key/default/token changed");
  expect(diff.stdout + diff.stderr).not.toContain(KEY);
});

test("a commit that changes only ACTIONS.md touches no image and no container, and the next run has it", async () => {
  const before = await hostState(world.host, PROJECT);
  await world.copy.write("greeter/ACTIONS.md", instructions("banana"));
  const { result, steps } = await outcomeOf(await pushed("only the prompt"));
  expect(result.kind).toBe("applied");
  expect(steps).toEqual([
    "record-inventory",
    "write-release",
    "switch",
    "record-inventory",
    "remove",
  ]);
  const after = await hostState(world.host, PROJECT);
  expect(after.current.runtime).toBe(before.current.runtime);
  await runAndSay("banana");
});

test("a plan then has nothing to do, and status and logs tell what is there", async () => {
  const plan = await world.al("plan");
  expect(plan.code).toBe(0);
  expect(plan.stdout.split("\n")).toEqual([
    "placement:",
    "  greeter: one (the fleet has one host)",
    "one: nothing to do",
  ]);
  const status = orFail(await world.al("--json", "status"));
  const [host] = (jsonLines(status.stdout).at(-1) as { hosts: Event[] }).hosts;
  expect(host).toMatchObject({ host: "one", report: { ready: true, activeRuns: 0 } });
  expect(host?.runs).toHaveLength(2);
  const logs = orFail(await world.al("--json", "logs", "greeter", "-n", "1"));
  const kinds = jsonLines(logs.stdout).map(({ kind }) => kind);
  expect(kinds).toEqual(["line", "end"]);
});

test("a commit with bad files is refused whole, and the last good one stays", async () => {
  const before = await hostState(world.host, PROJECT);
  await world.copy.write("greeter/agent-config.toml", `schedule = "not a schedule"\n`);
  const { from, revision } = await pushed("bad");
  const { event } = await controller.until("a refusal", ({ kind }) => kind === "refused", { from });
  expect(event).toMatchObject({ revision });
  expect(event.report).toContain("greeter/agent-config.toml:1: schedule");
  expect((await hostState(world.host, PROJECT)).current).toEqual(before.current);
  await writeProject(sample);
  expect((await outcomeOf(await pushed("good again"))).result.kind).toBe("applied");
});

test("a revision whose runtime does not start is put back, and said to have failed", async () => {
  const before = await hostState(world.host, PROJECT);
  const baseImage = await tagBrokenImage(world.lab, "al-line-test/base:broken");
  await writeProject({ ...sample, baseImage });
  await world.copy.edit("fleet.toml", (text) => `${text}\n[rollout]\nconfirmTimeout = 8\n`);
  const { result } = await outcomeOf(await pushed("a base image in which Node.js does not start"));
  expect(result).toMatchObject({
    kind: "failed",
    aftermath: "restored",
    error: { code: "not-confirmed" },
  });
  const after = await hostState(world.host, PROJECT);
  expect(after.current).toMatchObject({
    revision: before.current.revision,
    release: before.current.release,
    runtime: before.current.runtime,
  });
  expect(after.runningRuntimes).toEqual([before.current.runtime]);
  await runAndSay("apple");
});

test("the next good commit mends it, and removes what the failed one left", async () => {
  await writeProject(sample);
  await world.copy.write("greeter/ACTIONS.md", instructions("cherry"));
  expect((await outcomeOf(await pushed("mended"))).result.kind).toBe("applied");
  const state = await hostState(world.host, PROJECT);
  expect(state.unlisted).toEqual([]);
  expect(state.releases).toEqual([state.current.release]);
  await runAndSay("cherry");
});

test("the model's key is nowhere but in the credential set", async () => {
  const said = JSON.stringify(controller.lines);
  expect(said).not.toContain(KEY);
  const script = `docker ps -aq | xargs docker inspect; docker images -q | xargs docker inspect
    ps axeww; cat /home/deploy/.action-llama/projects/${PROJECT}/*.json
    find /home/deploy/.action-llama/projects/${PROJECT}/logs -type f -exec cat {} +`;
  const { stdout } = await world.host.exec(["sh", "-c", script]);
  expect(stdout.length).toBeGreaterThan(1000);
  expect(stdout).not.toContain(KEY);
});
