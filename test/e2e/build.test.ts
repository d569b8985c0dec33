import { afterAll, beforeAll, expect, test } from "vitest";
import { connectEngine } from "../lab/engine.ts";
import { jsonLines } from "../world/al.ts";
import { createLocalWorld, type LocalProject, type LocalWorld } from "../world/local-world.ts";
import { writeLocalSample } from "../world/sample-project.ts";
import { orFail } from "../world/world.ts";

const BUILDS_IMAGES = { timeout: 300_000 };

let world: LocalWorld;
let project: LocalProject;

beforeAll(async () => {
  world = await createLocalWorld(() => {});
  project = await world.checkout("al-build");
  const { baseImage } = world.lab;
  await writeLocalSample(project, { baseImage, baseUrl: "http://127.0.0.1:9", word: "build" });
  await project.write("Dockerfile", "FROM al-agent:latest\nUSER root\nRUN echo tool > /tool\n");
  await project.write("greeter/Dockerfile", "FROM al-agent:latest\nCOPY hello.txt /hello.txt\n");
  await project.write("greeter/hello.txt", "hello\n");
  await project.write("alone/agent-config.toml", 'schedule = "0 5 1 1 *"\n');
  await project.write("alone/ACTIONS.md", "Stand alone.\n");
  await project.write(
    "alone/Dockerfile",
    `FROM ${baseImage}
COPY --from=al-agent:latest /app /app
ENTRYPOINT ["node", "--no-warnings", "/app/dist/agents/container-entry.js"]
`,
  );
  await project.commit("images");
});

afterAll(() => world?.remove());

interface Built {
  readonly kind: string;
  readonly name: string;
  readonly reference: string;
  readonly sizeBytes: number;
  readonly outcome: string;
}

function imagesIn(stdout: string): Built[] {
  return jsonLines(stdout).flatMap((record) =>
    "reference" in record ? [record as unknown as Built] : [],
  );
}

test("base, project and agents are built, each with its name and size", BUILDS_IMAGES, async () => {
  const { stdout, stderr } = orFail(await project.al("build"));
  const line = (name: string, steps: string) =>
    new RegExp(
      `^${name} +al-${project.name}/${name}:[0-9a-f]{12} +[0-9.]+ MB {2}built, .* of ${steps}`,
    );
  expect(stdout.split("\n")).toEqual([
    expect.stringMatching(line("base", "\\d+ steps cached")),
    expect.stringMatching(line("project", "1 step cached")),
    expect.stringMatching(line("agent-alone", "1 step cached")),
    expect.stringMatching(line("agent-greeter", "1 step cached")),
  ]);
  expect(stderr).toMatch(/project:[0-9a-f]{12}: \[2\/2\] RUN echo tool > \/tool/);
  const again = orFail(await project.al("build", "greeter", "--json"));
  expect(imagesIn(again.stdout).map(({ name, outcome }) => [name, outcome])).toEqual([
    ["base", "cached"],
    ["project", "cached"],
    ["agent-greeter", "cached"],
  ]);
});

test(
  "a standalone Dockerfile keeps its own entry point, with our program in it",
  BUILDS_IMAGES,
  async () => {
    const { stdout } = orFail(await project.al("build", "alone", "--json"));
    const built = imagesIn(stdout).at(-1);
    expect(built).toMatchObject({ name: "agent-alone", sizeBytes: expect.any(Number) });
    const docker = connectEngine(world.lab.engine);
    const container = await docker.createContainer({ Image: built?.reference ?? "" });
    try {
      expect((await container.inspect()).Config.Entrypoint).toContain("--no-warnings");
      await container.start();
      expect(await container.wait()).toMatchObject({ StatusCode: 1 });
      const log = await container.logs({ stdout: true });
      expect(log.toString()).toContain("missing-run-input");
    } finally {
      await container.remove({ force: true });
    }
  },
);

test("what fails is told with the Dockerfile and its line", BUILDS_IMAGES, async () => {
  const text = "FROM al-agent:latest\n# comes to nothing\nRUN true && \\\n    exit 7\n";
  await project.write("greeter/Dockerfile", text);
  const failed = await project.al("build", "greeter", "--dev");
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(
    /greeter\/Dockerfile:3: building al-\S+ failed at \[2\/2\] RUN true/,
  );
  await project.write("greeter/Dockerfile", "FROM al-agent:latest\nRUM true\n");
  expect((await project.al("build", "greeter", "--dev")).stderr).toContain(
    "greeter/Dockerfile:2: ",
  );
  await project.write("greeter/Dockerfile", "FROM al-agent:latest\nRUN apk add jq\n");
  await project.edit("config.toml", (was) => was.replace(world.lab.baseImage, "node:24-slim"));
  expect((await project.al("build", "--dev")).stderr).toContain(
    "greeter/Dockerfile:2: calls apk, but the base image is",
  );
  expect(await project.al("build", "nobody")).toMatchObject({
    ...{ code: 1, stderr: expect.stringContaining("there is no agent nobody") },
  });
});
