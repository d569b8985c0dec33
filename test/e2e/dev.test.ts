import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ControllerProcess, startDev } from "../world/controller.ts";
import { addCredential } from "../world/home.ts";
import {
  createLocalWorld,
  type LocalProject,
  type LocalWorld,
  objectsOf,
} from "../world/local-world.ts";
import { type OutsideModel, startOutsideModel } from "../world/outside-model.ts";
import { instructions, writeLocalSample } from "../world/sample-project.ts";
import { orFail } from "../world/world.ts";

const KEY = "sk-while-it-is-edited";
const COMMAND = "echo said {{match:word of the day is: (\\w+)}}";
const fleetOf = (name: string) =>
  `[project]\nname = "${name}"\n\n[hosts.far]\naddress = "192.0.2.1"\n`;

let world: LocalWorld;
let model: OutsideModel;
let project: LocalProject;
let dev: ControllerProcess;

beforeAll(async () => {
  world = await createLocalWorld(() => {});
  const turns = [
    { text: "I greet.", toolCalls: [{ name: "bash", input: { command: COMMAND } }] },
    { text: "I have greeted." },
  ];
  const { root: directory, home } = world;
  const script = [{ turns }];
  model = await startOutsideModel({ script, key: KEY, directory }, { log: () => {} });
  project = await world.checkout("al-dev");
  await addCredential(home, "anthropic_key/default/token", `${KEY}\n`);
  // The committed address is nobody's; this machine's own file has the right one.
  const baseUrl = "http://192.0.2.7:1";
  await writeLocalSample(project, { baseImage: world.lab.baseImage, baseUrl, word: "apple" });
  await project.write("fleet.toml", fleetOf(project.name));
  await project.write(".env.toml", 'environment = "desk"\n[model]\nbaseUrl = "http://x.invalid"\n');
  const environment = join(home, ".action-llama/environments/desk.toml");
  await mkdir(dirname(environment), { recursive: true });
  await writeFile(environment, `[model]\nbaseUrl = "${model.url}"\n`);
  dev = startDev(project.directory, world.options);
});

afterAll(async () => {
  await dev?.stop();
  await model?.stop();
  await world?.remove();
});

type Event = Record<string, unknown>;
const resultKind = ({ result }: Event) => (result as { kind?: string } | undefined)?.kind;
const isLive = (event: Event) => resultKind(event) === "applied";
const runtimes = async () =>
  (await objectsOf(world.lab, `${project.name}_dev`)).containers.map(({ state }) => state);

test("uncommitted files run here, under a name that no fleet has, whatever their hosts", async () => {
  const { event } = await dev.until("the working tree to be live", isLive);
  expect(event.revision).toMatch(/^tree-[0-9a-f]{64}$/);
  expect(await runtimes()).toEqual(["running"]);
  expect((await objectsOf(world.lab, project.name)).containers).toEqual([]);
});

test("machine's own files are laid over config.toml: the run finds the model", async () => {
  const { stdout } = orFail(await project.al("run", "greeter", "--dev", "--follow"));
  expect(stdout).toContain("$ echo said apple");
  expect(stdout).toMatch(/of greeter: completed, exit 0 after/);
});

test("a saved ACTIONS.md is live without anything else being touched", async () => {
  const from = dev.lines.length;
  await project.write("greeter/ACTIONS.md", instructions("banana"));
  await dev.until("the saved file to be live", isLive, { from });
  const steps = dev.lines.slice(from).flatMap(({ event }) => {
    if (event.kind !== "action-finished") return [];
    return [(event.action as { step: { kind: string } }).step.kind];
  });
  expect(steps).toEqual([
    "record-inventory",
    "write-release",
    "switch",
    "record-inventory",
    "remove",
  ]);
  const { stdout } = orFail(await project.al("run", "greeter", "--dev", "-f"));
  expect(stdout).toContain("said banana");
});

test("invalid files are all told of, and the last good state stays", async () => {
  const from = dev.lines.length;
  await project.write("greeter/agent-config.toml", `schedul = "0 5 1 1 *"\n`);
  await project.write("other/agent-config.toml", `schedule = "never"\n`);
  const wrong = ["greeter/agent-config.toml:1", "other/agent-config.toml:1", "other/ACTIONS.md"];
  await dev.until(
    "all problems",
    ({ kind, report }) => kind === "refused" && wrong.every((file) => `${report}`.includes(file)),
    { from },
  );
  const { stdout } = orFail(await project.al("status", "--dev"));
  expect(stdout).toContain("local: ready");
  const { stdout: said } = orFail(await project.al("run", "greeter", "--dev", "-f"));
  expect(said).toContain("said banana");
});

test("a link is refused like in a commit, and mended files are live again", async () => {
  let from = dev.lines.length;
  await project.remove("other");
  await project.write("greeter/agent-config.toml", `schedule = "0 6 1 1 *"\n`);
  await dev.until("the mended files to be live", isLive, { from });
  from = dev.lines.length;
  await project.link("greeter/notes", "/etc/passwd");
  const isLink = ({ report }: Event) =>
    `${report}`.includes("greeter/notes: it is a symbolic link");
  await dev.until("the link to be refused", isLink, { from });
  await project.remove("greeter/notes");
});

test("at its end the runtime stops, its data stay, and the next one goes on with them", async () => {
  await dev.stop();
  expect(dev.lines.at(-1)?.event).toMatchObject({
    kind: "stopped",
    project: `${project.name}_dev`,
  });
  expect(await runtimes()).toEqual(["exited"]);
  dev = startDev(project.directory, world.options);
  await dev.until("the runtime to be live again", isLive);
  const { stdout } = orFail(await project.al("logs", "greeter", "--dev"));
  expect(stdout).toContain("said banana");
});
