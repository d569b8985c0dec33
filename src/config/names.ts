import { z } from "zod";
import { NAME_LENGTH, NAME_PATTERN } from "../core/names.ts";

const RULE = "must be 1-63 of a-z, 0-9 and `-`, starting and ending with a letter or digit";

/** The name of a project, host, agent or webhook source. */
export const Name = z.string().max(NAME_LENGTH, RULE).regex(NAME_PATTERN, RULE);

/** What is wrong with an agent's name, or undefined. */
export function agentNameProblem(name: string): string | undefined {
  if (!Name.safeParse(name).success) return `agent name ${RULE}`;
  return name === "default" ? "`default` cannot be an agent's name" : undefined;
}

/** A directory's name made into a project's name: `My Project` gives `my-project`. */
export function projectNameFrom(directory: string): string {
  const name = directory
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, NAME_LENGTH)
    .replace(/^-|-$/g, "");
  return name === "" ? "project" : name;
}
