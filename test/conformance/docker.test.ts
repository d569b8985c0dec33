import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDocker } from "../../src/docker/docker-client.ts";
import { openLocal } from "../../src/transport/local.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { startHost } from "../lab/host.ts";
import type { LabHost } from "../lab/lab-host.ts";
import { type Lab, setUpLab } from "../lab/set-up.ts";
import { lifeCycleCases, streamCases } from "./docker-container-cases.ts";
import { engineCases, storageCases } from "./docker-engine-cases.ts";
import { connectTo, EngineUnderTest, uniqueName } from "./docker-support.ts";

const log = () => undefined;
const project = uniqueName("conformance");

let lab: Lab;
let host: LabHost;
let remote: Transport;

beforeAll(async () => {
  lab = await setUpLab({ log });
  host = await startHost(lab.engine, { log, name: "docker", preload: [lab.baseImage] });
  remote = await connectTo(host);
});

afterAll(async () => {
  await remote?.close();
  await host?.stop();
});

describe.each(["this machine", "a host over SSH"])("the engine of %s", (where) => {
  let engine: EngineUnderTest;

  beforeAll(() => {
    const docker =
      where === "this machine"
        ? openDocker(openLocal({ host: "here" }), { socketPath: lab.engine.socketPath })
        : openDocker(remote);
    engine = new EngineUnderTest(docker, lab.baseImage, project);
  });

  afterAll(() => engine.clean());

  engineCases(() => engine);
  lifeCycleCases(() => engine);
  streamCases(() => engine);
  storageCases(() => engine);
});

test("a missing socket, a forbidden one and a dead engine are told apart", async () => {
  const over = (socketPath: string) => openDocker(remote, { socketPath }).engineInfo();
  const script =
    "cd /run; ln -sf /nowhere dead.sock; : > deaf.sock; chmod 666 deaf.sock; : > shut.sock";
  await host.exec(["sh", "-c", `${script}; chmod 600 shut.sock`]);
  await expect(over("/run/deaf.sock")).rejects.toMatchObject({ code: "docker-down" });
  await expect(over("/run/shut.sock")).rejects.toMatchObject({
    code: "docker-permission",
    blame: "user",
    hint: expect.stringContaining("usermod"),
  });
  // dockerd is installed there, so a missing socket means that it does not run.
  await expect(over("/run/dead.sock")).rejects.toMatchObject({ code: "docker-down" });
});

test("an engine that drops the connection in the middle of an answer is down, for a moment", async () => {
  const directory = await mkdtemp(join(tmpdir(), "al-docker-"));
  const socketPath = join(directory, "half.sock");
  const server = createServer((socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"));
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const docker = openDocker(openLocal({ host: "here" }), { socketPath });
  const call = docker.engineInfo({ timeoutMs: 5_000 });
  await expect(call).rejects.toMatchObject({ code: "docker-down", blame: "transient" });
  docker.close();
  server.close();
  await rm(directory, { recursive: true });
});
