import * as z from "zod";
import { AlError, errnoOf } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import { AgentRunConfig } from "../core/agent-run-config.ts";
import type { ContainerPaths } from "./container-paths.ts";
import type { Environment } from "./environment.ts";
import { readOptional } from "./read-optional.ts";

/** What one run was given. */
export interface RunInput {
  readonly config: AgentRunConfig;
  readonly prompt: string;
  /** The run's secret for the gateway; undefined where no gateway is. */
  readonly secret: Secret | undefined;
}

/**
 * Reads a run's configuration, prompt and secret: files first, else the variables AGENT_CONFIG,
 * PROMPT and SHUTDOWN_SECRET.
 * @throws AlError `missing-run-input` or `invalid-agent-config`, naming what is wrong.
 */
export async function readRunInput(paths: ContainerPaths, env: Environment): Promise<RunInput> {
  const config = await readInput(paths.config);
  const prompt = await readInput(paths.prompt);
  const secret = (await readInput(paths.secret)) ?? env.get("SHUTDOWN_SECRET");
  return {
    config: parseConfig(required(config ?? env.get("AGENT_CONFIG"), "AGENT_CONFIG", paths.config)),
    prompt: required(prompt ?? env.get("PROMPT"), "PROMPT", paths.prompt),
    secret: secret?.trim() ? new Secret(secret.trim()) : undefined,
  };
}

async function readInput(path: string): Promise<string | undefined> {
  try {
    return await readOptional(path);
  } catch (cause) {
    throw new AlError(`${path} cannot be read: ${errnoOf(cause) ?? String(cause)}`, {
      code: "run-input-unreadable",
      blame: "transient",
      hint: "The runtime puts it there, readable for uid 1000, before a run starts.",
      cause,
    });
  }
}

function required(text: string | undefined, variable: string, path: string): string {
  if (text !== undefined && text !== "") return text;
  throw new AlError(`neither ${path} nor the variable ${variable} has anything in it`, {
    code: "missing-run-input",
    blame: "user",
    hint: "Agents are started by the runtime; this program cannot be run without its input.",
  });
}

function parseConfig(text: string): AgentRunConfig {
  const parsed = AgentRunConfig.safeParse(parseJson(text));
  if (parsed.success && parsed.data.instructions.trim() !== "") return parsed.data;
  if (parsed.success) throw invalidConfig("ACTIONS.md, its `instructions`, is empty", undefined);
  throw invalidConfig(z.prettifyError(parsed.error), parsed.error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    // The parser's own message would quote the text.
    throw invalidConfig("not JSON", thrown);
  }
}

function invalidConfig(detail: string, cause: unknown): AlError {
  return new AlError(`invalid agent configuration: ${detail}`, {
    code: "invalid-agent-config",
    blame: "user",
    hint: "Look at agent-config.toml, config.toml and ACTIONS.md; an image may be older than its runtime.",
    cause,
  });
}
