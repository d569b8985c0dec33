import { webhookFilterFields } from "../core/webhook-types.ts";
import type { AgentConfigFile } from "./agent-config-file.ts";
import type { ConfigFile } from "./config-file.ts";
import { nearestName } from "./nearest-name.ts";
import type { Problem } from "./problems.ts";
import type { TomlFile } from "./toml-file.ts";

/** Checks that an agent's webhooks name a source and only filters that its kind understands. */
export function checkWebhooks(
  file: TomlFile<AgentConfigFile>,
  config: TomlFile<ConfigFile>,
): readonly Problem[] {
  // A source with a problem of its own is not there: nothing can be said of those who name it.
  if (!config.value || !config.isSound("webhooks")) return [];
  const sources = config.value.webhooks;
  return (file.value?.webhooks ?? []).flatMap((trigger, index): Problem[] => {
    const source = Object.hasOwn(sources, trigger.source) ? sources[trigger.source] : undefined;
    if (!source) return [unknownSource(file, index, trigger.source, Object.keys(sources))];
    const understood: readonly string[] = webhookFilterFields[source.type];
    return Object.entries(trigger)
      .filter(([field, value]) => field !== "source" && value !== undefined)
      .filter(([field]) => !understood.includes(field))
      .map(([field]) => ({
        ...file.at(["webhooks", index, field]),
        message: `${source.type} webhooks have no filter \`${field}\``,
        hint: `they have ${understood.join(", ")}`,
      }));
  });
}

function unknownSource(
  file: TomlFile<AgentConfigFile>,
  index: number,
  given: string,
  known: readonly string[],
): Problem {
  const meant = nearestName(given, known);
  const message = `no webhook source \`${given}\` in config.toml`;
  return {
    ...file.at(["webhooks", index, "source"]),
    message: meant ? `${message}; did you mean \`${meant}\`?` : message,
    ...(meant ? {} : { hint: "add a `[webhooks.<name>]` table there" }),
  };
}
