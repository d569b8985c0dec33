import { text } from "node:stream/consumers";
import type { ContainerSpec } from "./container-spec.ts";
import type { DockerClient } from "./docker-client.ts";

/** How a one-shot container ended. */
export interface OneShotResult {
  readonly code: number;
  /** Both streams, in order. */
  readonly output: string;
}

const MAX_RUN_MS = 60_000;

/** Runs a container to its end and removes it. One of the same name, left by a crash, is removed first. */
export async function runOneShot(
  docker: DockerClient,
  spec: ContainerSpec,
  signal: AbortSignal | undefined,
): Promise<OneShotResult> {
  await docker.removeContainer(spec.name, { force: true, signal });
  try {
    await docker.createContainer(spec, { signal });
    await docker.startContainer(spec.name, { signal });
    const code = await docker.waitContainer(spec.name, { signal, timeoutMs: MAX_RUN_MS });
    return { code, output: await outputOf(docker, spec.name, signal) };
  } finally {
    await docker.removeContainer(spec.name, { force: true }).catch(() => undefined);
  }
}

function outputOf(
  docker: DockerClient,
  name: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  return text(
    (async function* () {
      for await (const { bytes } of docker.containerLogs(name, { signal })) yield bytes;
    })(),
  );
}
