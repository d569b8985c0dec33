import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AlError, errnoOf } from "../base/errors.ts";
import type { ContextFile } from "../core/desired.ts";
import { compareText } from "../core/fingerprint.ts";
import type { ImageAssets } from "../core/project-input.ts";
import { PACKAGE_ROOT } from "./package-root.ts";

/** Reads our own Dockerfiles and the bundles that go into the images. */
export async function readImageAssets(root: string = PACKAGE_ROOT): Promise<ImageAssets> {
  const [agentDockerfile, runtimeDockerfile, doorDockerfile, ingressDockerfile] =
    (await Promise.all(
      ["Dockerfile", "runtime.Dockerfile", "door.Dockerfile", "ingress.Dockerfile"].map((name) =>
        readFile(join(root, "docker", name), "utf8"),
      ),
    )) as [string, string, string, string];
  const [bin, agents, runtime, door, ingress] = await Promise.all([
    readTree(root, "docker/bin"),
    readTree(root, "dist/agents"),
    readTree(root, "dist/runtime"),
    readTree(root, "dist/door"),
    readTree(root, "dist/ingress"),
  ]);
  return {
    agentDockerfile,
    agentContext: [...bin, ...agents].sort((a, b) => compareText(a.path, b.path)),
    runtimeDockerfile,
    runtimeContext: runtime,
    doorDockerfile,
    doorContext: door,
    ingressDockerfile,
    ingressContext: ingress,
  };
}

/** Files below `directory` with paths relative to the package, as the Dockerfiles name them. */
async function readTree(root: string, directory: string): Promise<ContextFile[]> {
  const names = await listFiles(join(root, directory));
  const files = names.map(async (name) => {
    const path = `${directory}/${name}`;
    const [content, facts] = await Promise.all([
      readFile(join(root, path)),
      stat(join(root, path)),
    ]);
    return { path, content, executable: (facts.mode & 0o100) !== 0 };
  });
  const found = await Promise.all(files);
  return found.sort((a, b) => compareText(a.path, b.path));
}

async function listFiles(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
  } catch (thrown) {
    if (errnoOf(thrown) !== "ENOENT") throw thrown;
    throw new AlError(`${directory} is missing: this copy of al was not built`, {
      code: "not-built",
      blame: "user",
      hint: "Run: npm run build",
      cause: thrown,
    });
  }
}
