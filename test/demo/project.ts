import { cp } from "node:fs/promises";
import { join } from "node:path";
import { checkoutRoot } from "../lab/names.ts";
import type { ModelScript } from "../model-server/script.ts";
import { addCredential } from "../world/home.ts";
import type { WorkingCopy } from "../world/repository.ts";
import type { World } from "../world/world.ts";
import type { DemoModel } from "./model.ts";

/** The project's name in examples/maintainers/fleet.toml. */
export const PROJECT = "maintainers";

/** The one agent of the examples that the demonstration deploys; it has an image of its own. */
export const AGENT = "dependency-scout";

/** What the first and the changed instructions tell the agent to say. */
export const WORDS = { first: "llama", second: "alpaca" } as const;

const DIRECTORY = `agents/${AGENT}`;

/** The scripted model does what the instructions of the run's own revision say. */
export const SCRIPT: ModelScript = [
  {
    turns: [
      {
        text: "I look for my tool and say the word.",
        toolCalls: [{ name: "bash", input: { command: "{{match:run exactly this:\\s+(.+)}}" } }],
      },
      { text: "My tool is there, and the word is said." },
    ],
  },
];

/** Fills the working copy from the examples, changed only where this machine demands it. */
export async function fillRepository(world: World, model: DemoModel): Promise<void> {
  const { copy, host, lab, home } = world;
  const example = join(checkoutRoot, "examples/maintainers");
  for (const path of ["config.toml", "fleet.toml", DIRECTORY]) {
    await cp(join(example, path), join(copy.directory, path), { recursive: true });
  }
  await copy.edit("fleet.toml", (text) =>
    text
      .replace("[hosts.frankfurt]", "[hosts.lab]")
      .replace(/address = ".*"/, `address = "${host.address}"`)
      .replace(/user = "root"/, `user = "${host.user}"`),
  );
  await copy.edit("config.toml", (text) =>
    text
      .replace(/provider = ".*"/, `provider = "${model.provider}"`)
      .replace(/model = ".*"/, `model = "${model.model}"${baseUrlLine(model)}`)
      .concat(`\n[images]\nbase = "${lab.baseImage}"\n`),
  );
  await copy.write(`${DIRECTORY}/ACTIONS.md`, instructions(WORDS.first));
  await addCredential(home, "github_token/default/token", "not-a-token-the-demo-does-not-use-it");
}

/** Changes what the agent is told, and nothing else. */
export async function changeInstructions(copy: WorkingCopy): Promise<void> {
  await copy.write(`${DIRECTORY}/ACTIONS.md`, instructions(WORDS.second));
}

function instructions(word: string): string {
  return `# Demonstration

This is your first day. With your bash tool, run exactly this:

    command -v outdated && id && echo "the word is ${word}"

Then say in one sentence what it printed, and stop. Do nothing else.
`;
}

function baseUrlLine({ baseUrl }: DemoModel): string {
  return baseUrl === undefined ? "" : `\nbaseUrl = "${baseUrl}"`;
}
