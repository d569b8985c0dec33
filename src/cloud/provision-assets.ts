import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import type { Json } from "../base/canonical-json.ts";
import { compareText } from "../core/fingerprint.ts";
import { MACHINE_OSES, type MachineOs } from "../core/machine.ts";

/** A cloud-config, or a part of one. */
export const CloudConfig = z.record(z.string(), z.json());
export type CloudConfig = Readonly<Record<string, Json>>;

/** The content of the package's `provision` directory. */
export interface ProvisionAssets {
  /** What all machines are told. */
  readonly common: CloudConfig;
  /** What is added for a distribution. */
  readonly byOs: Readonly<Record<MachineOs, CloudConfig>>;
  /** Files to write, by absolute path on the machine; sorted. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
}

/** Reads `provision` of a package. */
export async function readProvisionAssets(packageRoot: string): Promise<ProvisionAssets> {
  const directory = join(packageRoot, "provision");
  const config = async (name: string): Promise<CloudConfig> =>
    CloudConfig.parse(JSON.parse(await readFile(join(directory, name), "utf8")));
  const root = join(directory, "files");
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((one) => join(one.parentPath, one.name));
  const oses = MACHINE_OSES.map(async (os) => [os, await config(`${os}.json`)] as const);
  return {
    common: await config("cloud-config.json"),
    byOs: Object.fromEntries(await Promise.all(oses)) as Record<MachineOs, CloudConfig>,
    files: await Promise.all(
      paths.sort(compareText).map(async (path) => ({
        path: `/${relative(root, path)}`,
        content: await readFile(path, "utf8"),
      })),
    ),
  };
}
