import { checkBaseImage } from "./base-image.ts";
import { ConfigFile } from "./config-file.ts";
import { findAgents } from "./find-agents.ts";
import { FleetFile, FleetLockFile } from "./fleet-file.ts";
import { fleetHosts, knownHosts } from "./fleet-hosts.ts";
import { type LoadedIngress, loadIngress } from "./ingress.ts";
import { type LoadedAgent, loadAgent } from "./load-agent.ts";
import { imageAliases, loadDockerfile } from "./load-dockerfile.ts";
import { projectNameFrom } from "./names.ts";
import type { SourceTree } from "./ports.ts";
import { type Problem, sortProblems } from "./problems.ts";
import {
  missingFleet,
  treeWarnings,
  unknownBuilder,
  unsignedSources,
  webhookNames,
} from "./project-checks.ts";
import type { ProjectConfig } from "./project-config.ts";
import { readTomlFile, type TomlFile } from "./toml-file.ts";
import type { Overlay } from "./toml-layers.ts";
import { hasFile, withRefused } from "./tree-paths.ts";

/** A loaded project, or everything that is wrong with it. */
export type LoadedProject =
  | { readonly ok: true; readonly project: ProjectConfig; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What a tree does not say of itself. */
export interface LoadOptions {
  /** Names a project that has no fleet.toml; without it fleet.toml is required. */
  readonly directoryName?: string;
  /** Laid over config.toml in this order: a machine's own files, for `al dev`. */
  readonly overlays?: readonly Overlay[];
}

interface ProjectFiles {
  readonly config: TomlFile<ConfigFile>;
  readonly fleet: TomlFile<FleetFile> | undefined;
  readonly lock: TomlFile<FleetLockFile>;
}

/**
 * Reads a project from its committed files and reports every problem at once.
 * Machine-local files (`.env.toml`) are no part of it, unless given as overlays. Throws only when the tree cannot be read.
 */
export async function loadProject(
  tree: SourceTree,
  options: LoadOptions = {},
): Promise<LoadedProject> {
  const files = await readProjectFiles(tree, options.overlays ?? []);
  const config = files.config.value ?? ConfigFile.parse({});
  const found = findAgents(tree);
  const aliases = imageAliases(config.local.image);
  const reserved = reservedPaths(found.directories);
  const dockerfile = await loadDockerfile(tree, { directory: "", aliases, reserved });
  const fleet = fleetHosts(files.fleet, files.lock);
  const shared = { config, configFile: files.config, aliases, reserved };
  const known = knownHosts(files.fleet, fleet.hosts);
  const ingress = loadIngress(files.config, known);
  const agents = await Promise.all(
    found.directories.map((directory) => loadAgent(tree, { ...shared, directory, known })),
  );
  const base = checkBaseImage(
    { base: config.images.base, aliases },
    dockerfile.value,
    agents.flatMap((agent) => agent.dockerfile ?? []),
  );
  const problems = [
    ...Object.values(files).flatMap((file) => file?.problems ?? []),
    ...missingFleet(files.fleet, options.directoryName),
    ...[found, dockerfile, base, fleet, ingress, ...agents].flatMap((part) => part.problems),
    ...webhookNames(files.config),
    ...(files.fleet && !files.fleet.value ? [] : unknownBuilder(files.config, fleet.hosts)),
  ];
  const all = withRefused(tree, problems);
  if (all.length > 0) return { ok: false, problems: sortProblems(all) };
  const parts = { files, config, agents, dockerfile, base, fleet, ingress, aliases };
  const warnings = [
    ...treeWarnings(tree, found.directories),
    ...unsignedSources(files.config),
    ...[found, fleet, ...agents].flatMap((part) => part.warnings),
  ];
  return { ok: true, project: assemble(parts, options), warnings: sortProblems(warnings) };
}

async function readProjectFiles(
  tree: SourceTree,
  overlays: readonly Overlay[],
): Promise<ProjectFiles> {
  const hasFleet = hasFile(tree, "fleet.toml");
  const [config, fleet, lock] = await Promise.all([
    readTomlFile(tree, "config.toml", ConfigFile, overlays),
    hasFleet ? readTomlFile(tree, "fleet.toml", FleetFile) : undefined,
    readTomlFile(tree, "fleet.lock.toml", FleetLockFile),
  ]);
  return { config, fleet, lock };
}

function assemble(
  parts: {
    readonly files: ProjectFiles;
    readonly config: ConfigFile;
    readonly agents: readonly LoadedAgent[];
    readonly dockerfile: Awaited<ReturnType<typeof loadDockerfile>>;
    readonly base: ReturnType<typeof checkBaseImage>;
    readonly fleet: Pick<ProjectConfig, "hosts" | "machines">;
    readonly ingress: LoadedIngress;
    readonly aliases: readonly string[];
  },
  options: LoadOptions,
): ProjectConfig {
  const { files, config, agents, dockerfile, base, ingress, aliases } = parts;
  const fleet = files.fleet?.value ?? FleetFile.parse({ project: { name: "unnamed" } });
  const fallbackName = projectNameFrom(options.directoryName ?? "");
  return {
    name: files.fleet ? fleet.project.name : fallbackName,
    scale: config.scale,
    maxReruns: config.maxReruns,
    maxCallDepth: config.maxCallDepth,
    workQueueSize: config.workQueueSize,
    timezone: config.timezone,
    baseImage: base.image,
    builder: config.images.builder === "local" ? undefined : config.images.builder,
    baseAliases: aliases,
    dockerfile: dockerfile.value,
    hosts: parts.fleet.hosts,
    machines: parts.fleet.machines,
    agents: agents.flatMap(({ agent }) => (agent ? [agent] : [])),
    gateway: {
      port: config.gateway.port,
      lockTimeoutSeconds: config.gateway.lockTimeout,
      url: config.gateway.url,
      control: config.gateway.control,
      ingress: ingress.value,
    },
    ...(config.retention && {
      retention: { days: config.retention.days, logBytes: config.retention.logs },
    }),
    webhooks: config.webhooks,
    source: {
      url: fleet.source.url,
      branch: fleet.source.branch,
      intervalSeconds: fleet.source.interval,
    },
    rollout: {
      parallelHosts: fleet.rollout.parallelHosts,
      confirmTimeoutMs: fleet.rollout.confirmTimeout * 1000,
    },
    lockedHosts: files.lock.value?.hosts ?? {},
  };
}

function reservedPaths(agents: readonly string[]): ReadonlySet<string> {
  const inAgent = ["agent-config.toml", "ACTIONS.md", "Dockerfile"];
  return new Set([
    ...["config.toml", ".env.toml", "fleet.toml", "fleet.lock.toml", "Dockerfile"],
    ...agents.flatMap((directory) => inAgent.map((file) => `${directory}/${file}`)),
  ]);
}
