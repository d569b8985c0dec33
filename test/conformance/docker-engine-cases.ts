import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import type { EngineUnderTest } from "./docker-support.ts";
import { read } from "./docker-support.ts";

/** Volumes and networks. */
export function storageCases(engine: () => EngineUnderTest): void {
  test("files copied into a container that never runs reach others through its volume", async () => {
    const { docker, labels } = engine();
    const volume = { name: engine().name("files"), labels };
    await docker.createVolume(volume);
    await docker.createVolume(volume);
    const mount = { kind: "volume", name: volume.name, target: "/run/al" } as const;
    const carrier = engine().spec("carrier", "true");
    await docker.createContainer({ ...carrier, mounts: [{ ...mount, readOnly: false }] });
    const archive = pack();
    archive.entry({ name: "secret", mode: 0o400, uid: 1000, gid: 1000 }, "for uid 1000");
    archive.finalize();
    await docker.putArchive(carrier.name, Readable.from(archive), { path: "/run/al" });
    const reader = engine().spec("reader", "cat /run/al/secret");
    const mounts = [{ ...mount, readOnly: true }];
    await docker.createContainer({ ...reader, mounts, user: "1000:1000" });
    await docker.startContainer(reader.name);
    expect(await docker.waitContainer(reader.name)).toBe(0);
    expect((await read(docker.containerLogs(reader.name))).stdout.toString()).toBe("for uid 1000");
    await docker.removeContainer(reader.name);
    await docker.removeContainer(carrier.name);
    await docker.removeVolume(volume.name);
    await docker.removeVolume(volume.name);
    expect(await docker.listVolumes(labels)).toEqual([]);
  });

  test("a network has the subnet and bridge it was given, once", async () => {
    const { docker, labels } = engine();
    const network = {
      name: engine().name("net"),
      labels,
      bridge: `al-${engine().project.slice(-8)}`,
      subnet: "10.213.251.0/24",
      gateway: "10.213.251.1",
      betweenContainers: false,
    };
    expect(await docker.createNetwork(network)).toMatchObject({ kind: "created" });
    expect(await docker.createNetwork(network)).toEqual({ kind: "exists" });
    expect(await docker.inspectNetwork(network.name)).toMatchObject({
      bridge: network.bridge,
      betweenContainers: false,
      subnets: [{ subnet: network.subnet, gateway: network.gateway }],
    });
    expect(await docker.listNetworks(labels)).toHaveLength(1);
    await docker.removeNetwork(network.name);
    await docker.removeNetwork(network.name);
    expect(await docker.inspectNetwork(network.name)).toBeUndefined();
  });
}

/** The engine itself, and what goes wrong. */
export function engineCases(engine: () => EngineUnderTest): void {
  test("an engine says what it is", async () => {
    const info = await engine().docker.engineInfo();
    expect(info.apiVersion).toMatch(/^1\.\d+$/);
    expect(["classic", "containerd"]).toContain(info.imageStore);
    expect(info.dockerRootDir).toMatch(/^\//);
  });

  test("fifty calls at once all succeed", async () => {
    const { docker, image } = engine();
    const found = await Promise.all(Array.from({ length: 50 }, () => docker.inspectImage(image)));
    expect(new Set(found.map((each) => each?.id)).size).toBe(1);
  });

  test("failures name the host, the call and what the engine said", async () => {
    const { docker } = engine();
    const nothing = engine().name("nothing");
    await expect(docker.startContainer(nothing)).rejects.toMatchObject({
      code: "docker-not-found",
      message: expect.stringContaining(`${docker.host}: cannot start ${nothing}`),
    });
    const bad = engine().spec("bad", "true");
    const imageless = docker.createContainer({ ...bad, image: "al-nothing/at:all" });
    await expect(imageless).rejects.toMatchObject({ code: "docker-not-found" });
    const refused = docker.createContainer({ ...bad, memoryBytes: 1 });
    await expect(refused).rejects.toMatchObject({ code: "docker-refused", blame: "terminal" });
    expect(await docker.inspectImage("al-nothing/at:all")).toBeUndefined();
  });
}
