import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LABELS } from "../../src/core/names.ts";
import { buildImage } from "../../src/docker/build.ts";
import { deliverImage } from "../../src/docker/deliver-image.ts";
import { type DockerClient, openDocker } from "../../src/docker/docker-client.ts";
import { exportImage } from "../../src/docker/image-archive.ts";
import { openLocal } from "../../src/transport/local.ts";
import { startHost } from "../lab/host.ts";
import type { HostKind } from "../lab/host-image.ts";
import type { LabHost } from "../lab/lab-host.ts";
import { type Lab, setUpLab } from "../lab/set-up.ts";
import { architectureCases } from "./docker-architecture-cases.ts";
import { builderCases } from "./docker-builder-cases.ts";
import { deliveryCases } from "./docker-delivery-cases.ts";
import { pruneCases } from "./docker-prune-cases.ts";
import { exitingProgram, file, recipeOf } from "./docker-recipes.ts";
import { connectTo, EngineUnderTest, uniqueName } from "./docker-support.ts";

const log = () => undefined;
const project = uniqueName("images");
const options = { project, labels: { run: project } };

let lab: Lab;
let builder: EngineUnderTest;
let cacheDir: string;

beforeAll(async () => {
  lab = await setUpLab({ log });
  const docker = openDocker(openLocal({ host: "builder" }), { socketPath: lab.engine.socketPath });
  builder = new EngineUnderTest(docker, lab.baseImage, project);
  cacheDir = await mkdtemp(join(tmpdir(), "al-images-"));
});

afterAll(async () => {
  await builder?.clean();
  await rm(cacheDir, { recursive: true, force: true });
});

const reference = (name: string) => `${project}/${name}:1`;
const archiveOf = (name: string) => exportImage(builder.docker, reference(name), { cacheDir });

/** An image of one program, and one on top of it with a small file more. */
const small = recipeOf(reference("small"), 'FROM scratch\nCOPY exit big /\nCMD ["/exit"]\n', [
  file("exit", exitingProgram(42), true),
  file("big", randomBytes(2_000_000)),
]);
const child = recipeOf(
  reference("child"),
  `FROM ${reference("small")}\nCOPY note /\n`,
  [file("note", "hi")],
  [reference("small")],
);

describe("building", () => {
  test("an image is built once, labelled, and reports its steps", async () => {
    const recipe = small;
    const lines: string[] = [];
    const onProgress = (line: string) => lines.push(line);
    const build = () => buildImage(builder.docker, recipe, { ...options, onProgress });
    expect(await Promise.all([build(), build()])).toMatchObject([
      { kind: "built", steps: 1 },
      { kind: "built" },
    ]);
    expect(lines.filter((line) => line.includes("COPY exit big /"))).toHaveLength(1);
    expect(await build()).toEqual({ kind: "present" });
    expect(await builder.docker.inspectImage(reference("small"))).toMatchObject({
      references: [reference("small")],
      labels: {
        run: project,
        [LABELS.project]: project,
        [LABELS.specHash]: recipe.image.specHash,
      },
      diffIds: [expect.stringMatching(/^sha256:/)],
    });
    expect(await buildImage(builder.docker, child, options)).toMatchObject({ kind: "built" });
  });

  test("changed content of the same size and date is a changed image", async () => {
    const recipe = (content: string) =>
      recipeOf(reference("same-size"), "FROM scratch\nCOPY f /\n", [file("f", content)]);
    await buildImage(builder.docker, recipe("one"), options);
    const first = await builder.docker.inspectImage(reference("same-size"));
    await buildImage(builder.docker, recipe("two"), options);
    const second = await builder.docker.inspectImage(reference("same-size"));
    expect(second?.diffIds).not.toEqual(first?.diffIds);
  });

  test("a failing step is named, with the end of what it printed", async () => {
    const dockerfile = `FROM ${lab.baseImage}\nRUN echo to standard error >&2; exit 3\n`;
    const failing = buildImage(builder.docker, recipeOf(reference("bad"), dockerfile), {
      ...options,
      network: "host",
    });
    await expect(failing).rejects.toMatchObject({
      code: "image-build-failed",
      blame: "user",
      message: expect.stringMatching(/failed at \[2\/2\] RUN.*exit code: 3.*to standard error/s),
    });
    const nonsense = recipeOf(reference("bad"), "FROM scratch\nNONSENSE\n");
    await expect(buildImage(builder.docker, nonsense, options)).rejects.toMatchObject({
      code: "image-build-failed",
      message: expect.stringContaining("NONSENSE"),
    });
    const orphan = recipeOf(reference("bad"), "FROM x\n", [], [reference("nothing")]);
    await expect(buildImage(builder.docker, orphan, options)).rejects.toMatchObject({
      code: "image-missing",
    });
  });

  test("a build that is aborted ends at once", async () => {
    const stop = new AbortController();
    const recipe = recipeOf(reference("slow"), `FROM ${lab.baseImage}\nRUN sleep 30\n`);
    const building = buildImage(builder.docker, recipe, { ...options, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("never mind")), 500);
    await expect(building).rejects.toThrow("never mind");
    expect(await builder.docker.inspectImage(reference("slow"))).toBeUndefined();
  });
});

describe("exporting", () => {
  test("an image is saved once; layers are what its configuration says, shared among images", async () => {
    const [first, other] = await Promise.all([archiveOf("small"), archiveOf("child")]);
    const details = await builder.docker.inspectImage(reference("child"));
    expect(other.layers.map(({ diffId }) => diffId)).toEqual(details?.diffIds);
    expect(other.layers[0]?.diffId).toBe(first.layers[0]?.diffId);
    expect(other.specHash).toBe(details?.labels[LABELS.specHash]);
    const saveStream = () => Promise.reject(new Error("saved again"));
    const stingy: DockerClient = { ...builder.docker, saveStream };
    const again = await exportImage(stingy, reference("child"), { cacheDir });
    expect(again.configDigest).toBe(other.configDigest);
  });

  test("an image that is not there is an error of ours", async () => {
    await expect(archiveOf("nothing")).rejects.toMatchObject({ code: "image-missing" });
  });
});

describe.each<HostKind>(["bookworm", "trixie"])("delivering to a host of kind %s", (kind) => {
  let machine: LabHost;
  let host: DockerClient;

  beforeAll(async () => {
    machine = await startHost(lab.engine, { log, name: `images-${kind}`, kind });
    host = openDocker(await connectTo(machine));
    await buildImage(builder.docker, small, options);
    await buildImage(builder.docker, child, options);
  });

  afterAll(async () => {
    host?.close();
    await machine?.stop();
  });

  deliveryCases(() => ({
    host,
    small: () => archiveOf("small"),
    child: () => archiveOf("child"),
  }));

  test("the host can build for others", async () => {
    const recipe = recipeOf(reference("there"), 'FROM scratch\nCOPY x y /\nCMD ["/x"]\n', [
      file("x", exitingProgram(7), true),
      file("y", randomBytes(3_000_000)),
    ]);
    const onHostNetwork = { ...options, network: "host" } as const;
    expect(await buildImage(host, recipe, onHostNetwork)).toMatchObject({ kind: "built" });
    const archive = await exportImage(host, reference("there"), { cacheDir });
    expect(await deliverImage(builder.docker, archive)).toMatchObject({ kind: "full" });
    await builder.docker.removeImage(reference("there"));
  });

  const asBuilder = () => ({
    host,
    cacheDir,
    reference: (name: string) => reference(`${kind}-${name}`),
    options,
  });
  builderCases(asBuilder);
  architectureCases(asBuilder);
  pruneCases(asBuilder);
});

test("an engine that runs out of disk while loading says so", async () => {
  const disk = { diskBytes: 40_000_000 };
  const machine = await startHost(lab.engine, { log, name: "images-full", ...disk });
  try {
    const docker = openDocker(await connectTo(machine));
    const recipe = recipeOf(reference("large"), "FROM scratch\nCOPY x /\n", [
      file("x", randomBytes(60_000_000)),
    ]);
    await buildImage(builder.docker, recipe, options);
    await expect(deliverImage(docker, await archiveOf("large"))).rejects.toMatchObject({
      code: "disk-full",
      blame: "user",
    });
    expect(await docker.inspectImage(reference("large"))).toBeUndefined();
    docker.close();
  } finally {
    await machine.stop();
  }
});

test("on a host that has the base, an agent's image travels in a moment", async () => {
  const preload = [lab.baseImage];
  const machine = await startHost(lab.engine, { log, name: "images-base", preload });
  try {
    const docker = openDocker(await connectTo(machine));
    const recipe = recipeOf(
      reference("agent"),
      `FROM ${lab.baseImage}\nCOPY note /\nRUN cat /note > /copy\nCMD ["cat", "/copy"]\n`,
      [file("note", "from an image that came in parts")],
    );
    await buildImage(builder.docker, recipe, options);
    const archive = await archiveOf("agent");
    const started = performance.now();
    const delivery = await deliverImage(docker, archive);
    const tookMs = performance.now() - started;
    expect(delivery.kind).toBe("partial");
    expect(delivery.bytesSent).toBeLessThan(10_000);
    expect(tookMs).toBeLessThan(5_000);
    docker.close();
  } finally {
    await machine.stop();
  }
});
