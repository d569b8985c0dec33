import { environment } from "../lab/environment.ts";
import type { ModelScript } from "../model-server/script.ts";
import { startModelServer } from "../model-server/server.ts";

/** The model the demonstration's agent talks to. */
export interface DemoModel {
  /** For a person: `claude-... at Anthropic`. */
  readonly name: string;
  readonly provider: "anthropic" | "openai";
  readonly model: string;
  readonly baseUrl?: string;
  readonly key: string;
  /** True for the scripted one, whose answers can be foretold. */
  readonly scripted: boolean;
  close(): Promise<void>;
}

const SCRIPTED_KEY = "sk-scripted-for-the-demo";

/** A real model where the environment has a key for one, else the scripted one on `address`. */
export async function openModel(address: string, script: ModelScript): Promise<DemoModel> {
  const { ANTHROPIC_API_KEY, OPENAI_API_KEY, AL_DEMO_MODEL } = environment;
  const close = async () => {};
  if (ANTHROPIC_API_KEY) {
    const model = AL_DEMO_MODEL ?? "claude-sonnet-4-5";
    const name = `${model} at Anthropic`;
    return { name, provider: "anthropic", model, key: ANTHROPIC_API_KEY, scripted: false, close };
  }
  if (OPENAI_API_KEY) {
    const model = AL_DEMO_MODEL ?? "gpt-5-mini";
    const name = `${model} at OpenAI`;
    return { name, provider: "openai", model, key: OPENAI_API_KEY, scripted: false, close };
  }
  const server = await startModelServer({ host: address, script, expectedKey: SCRIPTED_KEY });
  return {
    name: "the scripted model (set ANTHROPIC_API_KEY or OPENAI_API_KEY for a real one)",
    provider: "anthropic",
    model: "claude-scripted",
    baseUrl: server.url,
    key: SCRIPTED_KEY,
    scripted: true,
    close: () => server.close(),
  };
}
