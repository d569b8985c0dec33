import type { DockerfileInput } from "../core/project-input.ts";
import { AgentConfigFile } from "./agent-config-file.ts";
import { checkCredentials } from "./agent-credentials.ts";
import { checkPlacement, type KnownHosts } from "./agent-placement.ts";
import { checkWebhooks } from "./agent-webhooks.ts";
import type { ConfigFile } from "./config-file.ts";
import { decodeText } from "./decode-text.ts";
import { agentName } from "./find-agents.ts";
import { loadDockerfile } from "./load-dockerfile.ts";
import type { SourceTree } from "./ports.ts";
import type { Problem } from "./problems.ts";
import type { AgentConfig } from "./project-config.ts";
import { resolveModel } from "./resolve-model.ts";
import { readTomlFile, type TomlFile } from "./toml-file.ts";
import { entryAt } from "./tree-paths.ts";

const MAX_INSTRUCTIONS_BYTES = 1024 * 1024;

/** An agent's files, read: the agent where nothing is wrong with it. */
export interface LoadedAgent {
  readonly agent: AgentConfig | undefined;
  readonly dockerfile: DockerfileInput | undefined;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Where an agent lies, and what it takes from the project. */
export interface AgentSource {
  readonly directory: string;
  readonly config: ConfigFile;
  readonly configFile: TomlFile<ConfigFile>;
  /** Names of our base image. */
  readonly aliases: readonly string[];
  readonly reserved: ReadonlySet<string>;
  /** Hosts it may name. */
  readonly known: KnownHosts;
}

/** Reads one agent's directory and reports every problem in it. */
export async function loadAgent(tree: SourceTree, source: AgentSource): Promise<LoadedAgent> {
  const { directory, config } = source;
  const [file, instructions, dockerfile] = await Promise.all([
    readTomlFile(tree, `${directory}/agent-config.toml`, AgentConfigFile),
    loadInstructions(tree, `${directory}/ACTIONS.md`),
    loadDockerfile(tree, source),
  ]);
  const own = file.value;
  const read = [...file.problems, ...instructions.problems, ...dockerfile.problems];
  if (!own) {
    return { agent: undefined, dockerfile: dockerfile.value, problems: read, warnings: [] };
  }
  const model = resolveModel(file, source.configFile);
  const credentials = checkCredentials(file);
  const placed = checkPlacement(file, source.known);
  const problems = [
    ...read,
    ...model.problems,
    ...checkWebhooks(file, source.configFile),
    ...placed.problems,
    ...withoutTrigger(file),
  ];
  const { content } = instructions;
  if (!model.model || !content) {
    return { agent: undefined, dockerfile: dockerfile.value, problems, warnings: [] };
  }
  const agent: AgentConfig = {
    name: agentName(directory),
    directory,
    model: model.model,
    credentials: credentials.references,
    schedule: own.schedule?.trim(),
    timezone: config.timezone,
    catchUp: own.catchUp,
    jitterSeconds: own.jitter,
    onInterrupted: own.onInterrupted,
    scale: own.scale,
    placement: placed.placement,
    timeoutSeconds: own.timeout ?? config.local.timeout,
    memoryBytes: config.local.memory,
    cpus: config.local.cpus,
    params: own.params,
    limits: own.limits,
    webhooks: own.webhooks,
    preflight: own.preflight,
    instructions: content,
    dockerfile: dockerfile.value,
  };
  const warnings = [...credentials.warnings, ...placed.warnings, ...withoutSchedule(file)];
  return { agent, dockerfile: dockerfile.value, problems, warnings };
}

async function loadInstructions(
  tree: SourceTree,
  path: string,
): Promise<{ content?: Uint8Array; problems: readonly Problem[] }> {
  if (!entryAt(tree, path)) {
    const hint = "write there what the agent is to do";
    return { problems: [{ file: path, message: "is missing", hint }] };
  }
  const decoded = decodeText(path, await tree.read(path), MAX_INSTRUCTIONS_BYTES);
  if (!decoded.ok) return { problems: [decoded.problem] };
  if (decoded.text.trim() === "") {
    return {
      problems: [{ file: path, message: "is empty", hint: "the agent would not know what to do" }],
    };
  }
  return { content: new TextEncoder().encode(decoded.text), problems: [] };
}

function withoutTrigger(file: TomlFile<AgentConfigFile>): Problem[] {
  const own = file.value;
  // A misspelled field may be the trigger that seems to lack.
  if (!own || file.problems.length > 0) return [];
  if (own.scale === 0 || own.schedule !== undefined || own.webhooks.length > 0) return [];
  const message = "nothing starts this agent: it has neither a schedule nor webhooks";
  const hint = "add one of them, or set scale = 0 to disable the agent";
  return [{ file: file.file, message, hint }];
}

/** Warns of fields that are about a schedule, where there is none. */
function withoutSchedule(file: TomlFile<AgentConfigFile>): Problem[] {
  const { schedule, catchUp, jitter } = file.value ?? {};
  if (schedule !== undefined) return [];
  const given = [...(catchUp === "once" ? ["catchUp"] : []), ...(jitter ? ["jitter"] : [])];
  const message = "has no effect: the agent has no schedule";
  return given.map((key) => ({ ...file.at([key]), message }));
}
