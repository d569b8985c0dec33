import type { WorkingCopy } from "./repository.ts";

/** What a sample project is written for. */
export interface SampleOptions {
  readonly project: string;
  /** What our Dockerfiles start from: the lab's base image. */
  readonly baseImage: string;
  readonly host: { readonly name: string; readonly address: string; readonly port: number };
  readonly model: {
    readonly provider: string;
    readonly model: string;
    readonly baseUrl?: string;
  };
}

/** The word in the sample agent's instructions that a scripted model passes to its bash tool. */
export function instructions(word: string): string {
  return `# Greeter\n\nSay hello with the bash tool. The word of the day is: ${word}.\n`;
}

/** A small, valid project of one agent with an image of its own, for one host. */
export async function writeSampleProject(
  copy: WorkingCopy,
  { project, baseImage, host, model }: SampleOptions,
): Promise<void> {
  const baseUrl = model.baseUrl === undefined ? "" : `baseUrl = "${model.baseUrl}"\n`;
  await copy.write(
    "config.toml",
    `[images]\nbase = "${baseImage}"\n\n[model]\nprovider = "${model.provider}"\nmodel = "${model.model}"\n${baseUrl}\n[local]\nmemory = "512m"\ncpus = 1\ntimeout = 120\n`,
  );
  await copy.write(
    "fleet.toml",
    `[project]\nname = "${project}"\n\n[hosts.${host.name}]\naddress = "${host.address}"\nport = ${host.port}\nuser = "deploy"\n`,
  );
  await copy.write("greeter/agent-config.toml", `schedule = "0 5 1 1 *"\n`);
  await copy.write("greeter/ACTIONS.md", instructions("apple"));
  await copy.write("greeter/greeting.txt", "hello from the image\n");
  await copy.write(
    "greeter/Dockerfile",
    "FROM al-agent:latest\nCOPY greeting.txt /usr/local/share/greeting.txt\n",
  );
}

/** A small, valid project of one agent without a fleet. */
export async function writeLocalSample(
  copy: Pick<WorkingCopy, "write">,
  { baseImage, baseUrl, word }: { baseImage: string; baseUrl: string; word: string },
): Promise<void> {
  await copy.write(
    "config.toml",
    `[images]\nbase = "${baseImage}"\n\n[model]\nprovider = "anthropic"\nmodel = "claude-scripted"\nbaseUrl = "${baseUrl}"\n\n[local]\nmemory = "512m"\ncpus = 1\ntimeout = 120\n`,
  );
  await copy.write("greeter/agent-config.toml", `schedule = "0 5 1 1 *"\n`);
  await copy.write("greeter/ACTIONS.md", instructions(word));
}
