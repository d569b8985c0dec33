import { expect, test } from "vitest";
import { deliverImage } from "../../src/docker/deliver-image.ts";
import type { DockerClient } from "../../src/docker/docker-client.ts";
import type { ImageArchive } from "../../src/docker/image-archive.ts";
import { loadImage } from "../../src/docker/partial-load.ts";

/** A host without images, and an image with one on top of it; their program exits with 42. */
export interface DeliveryUnderTest {
  readonly host: DockerClient;
  readonly small: () => Promise<ImageArchive>;
  readonly child: () => Promise<ImageArchive>;
}

/** What delivering images to an empty host must do, in this order. */
export function deliveryCases(on: () => DeliveryUnderTest): void {
  test("a delivery that is aborted leaves the host ready for the next one", async () => {
    const { host, small } = on();
    const stop = new AbortController();
    const onBytes = () => stop.abort(new Error("never mind"));
    const loading = loadImage(host, await small(), { onBytes, signal: stop.signal });
    await expect(loading).rejects.toThrow("never mind");
    expect(await host.inspectImage((await small()).reference)).toBeUndefined();
  });

  test("a host with too little room gets nothing", async () => {
    const { host, small } = on();
    const archive = await small();
    await expect(deliverImage(host, archive, { freeBytes: 100e6 })).rejects.toMatchObject({
      code: "disk-full",
      message: `${host.host}: image ${archive.reference} needs 203 MB of disk, 100 MB are free`,
    });
    expect(await host.inspectImage(archive.reference)).toBeUndefined();
  });

  test("an empty host gets everything, verified, and works with it", async () => {
    const { host, small } = on();
    const delivery = await deliverImage(host, await small());
    expect(delivery.kind).toBe("full");
    expect(delivery.bytesSent).toBeGreaterThan(2_000_000);
    expect(await exitCodeOf(host, await small())).toBe(42);
  });

  test("an image on top of one the host has costs only its own layer", async () => {
    const { host, child } = on();
    const delivery = await deliverImage(host, await child());
    expect(delivery.kind).toBe("partial");
    expect(delivery.bytesSent).toBeLessThan(5_000);
    expect(await exitCodeOf(host, await child())).toBe(42);
    expect(await deliverImage(host, await child())).toEqual({ kind: "present", bytesSent: 0 });
    expect((await host.inspectImage((await child()).reference))?.references).toHaveLength(1);
  });

  test("when a layer that was left out is not there after all, everything is sent", async () => {
    const { host, small, child } = on();
    const archive = await child();
    await host.removeImage(archive.reference);
    await host.removeImage((await small()).reference);
    const refused = loadImage(host, archive, { presentLayers: 1, reference: "al-refused:1" });
    await expect(refused).rejects.toMatchObject({ code: "image-load-refused" });
    await host.removeImage("al-refused:1");
    expect(await deliverImage(claiming(host, archive, 1), archive)).toMatchObject({ kind: "full" });
    expect(await exitCodeOf(host, archive)).toBe(42);
  });
}

/** The host, pretending to have an image with the lowest layers of an archive. */
function claiming(host: DockerClient, archive: ImageArchive, layers: number): DockerClient {
  const diffIds = archive.layers.slice(0, layers).map(({ diffId }) => diffId);
  const image = { id: "claimed", references: [], labels: {}, sizeBytes: 0, namedAtMs: 0 };
  return {
    ...host,
    listImages: async () => [image],
    inspectImage: async (reference, options) =>
      reference === image.id
        ? {
            ...image,
            architecture: "amd64",
            diffIds,
            program: { entrypoint: [], argv: [], env: [] },
          }
        : host.inspectImage(reference, options),
  };
}

async function exitCodeOf(host: DockerClient, { reference }: ImageArchive): Promise<number> {
  const name = "al-exit-code";
  await host.createContainer({ name, image: reference, labels: {}, network: "none" });
  await host.startContainer(name);
  const code = await host.waitContainer(name);
  await host.removeContainer(name);
  return code;
}
