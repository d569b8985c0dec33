import type { ConfigFile } from "./config-file.ts";
import type { FleetFile } from "./fleet-file.ts";
import { nearestName } from "./nearest-name.ts";
import type { SourceTree } from "./ports.ts";
import type { Problem } from "./problems.ts";
import type { TomlFile } from "./toml-file.ts";
import { hasFile } from "./tree-paths.ts";

/** Without a directory's name only fleet.toml can name the project. */
export function missingFleet(
  fleet: TomlFile<FleetFile> | undefined,
  directoryName: string | undefined,
): Problem[] {
  if (fleet || directoryName !== undefined) return [];
  const hint = 'write it with `[project]` and `name = "..."`, and a `[hosts.<name>]` for each host';
  return [{ file: "fleet.toml", message: "is missing", hint }];
}

/** Images are built here, or on a host that is known. */
export function unknownBuilder(
  config: TomlFile<ConfigFile>,
  hosts: readonly { readonly host: string }[],
): Problem[] {
  const builder = config.value?.images.builder ?? "local";
  const names = hosts.map(({ host }) => host);
  if (builder === "local" || names.includes(builder)) return [];
  const near = nearestName(builder, ["local", ...names]);
  const hint = near ? `did you mean \`${near}\`?` : 'use "local" or the name of a host';
  const message = `no host \`${builder}\` is in fleet.toml`;
  return [{ ...config.at(["images", "builder"]), message, hint }];
}

/** Names of webhook sources stand in logs and URLs: plain ones only. */
export function webhookNames(config: TomlFile<ConfigFile>): Problem[] {
  return Object.keys(config.value?.webhooks ?? {}).flatMap((name) => {
    if (/^[A-Za-z0-9_-]{1,63}$/.test(name)) return [];
    const message = "the name of a webhook source must be 1-63 letters, digits, `-` and `_`";
    return [{ ...config.at(["webhooks", name]), message }];
  });
}

/** Warns of sources from which nothing will ever be accepted. */
export function unsignedSources(config: TomlFile<ConfigFile>): Problem[] {
  return Object.entries(config.value?.webhooks ?? {}).flatMap(([name, source]) => {
    if (source.credential !== undefined || source.allowUnsigned) return [];
    const message = "every delivery is refused: there is nothing to check its signature with";
    const hint = "set `credential`, or `allowUnsigned = true` to take unsigned ones";
    return [{ ...config.at(["webhooks", name]), message, hint }];
  });
}

/** Warns of what a tree lacks, and of what it should not have. */
export function treeWarnings(tree: SourceTree, agents: readonly string[]): Problem[] {
  const warnings: Problem[] = [];
  if (agents.length === 0) {
    const message = "no agents: no directory here has an agent-config.toml";
    warnings.push({ file: ".", message });
  }
  if (hasFile(tree, ".env.toml")) {
    const message = "is ignored: it is for one machine, never for a fleet";
    warnings.push({ file: ".env.toml", message, hint: "take it out of the repository" });
  }
  return warnings;
}
