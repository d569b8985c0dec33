import { z } from "zod";
import { ModelConfig } from "../core/agent-run-config.ts";

const { provider, model, authType, thinkingLevel, baseUrl } = ModelConfig.shape;

/** `[model]` of config.toml or agent-config.toml: every field may be inherited. */
export const ModelTable = z.strictObject({
  provider: provider.optional(),
  model: model.optional(),
  authType: authType.unwrap().optional(),
  thinkingLevel,
  baseUrl,
});
export type ModelTable = z.infer<typeof ModelTable>;
