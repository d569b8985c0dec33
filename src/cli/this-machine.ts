import { arch } from "node:os";
import { AlError } from "../base/errors.ts";
import type { HostInput, ProjectInput } from "../core/project-input.ts";

/** The machine `al` runs on, as the only host of a project without fleet.toml, and of `al dev`. */
export function thisMachine(architecture: string = arch()): HostInput {
  if (architecture !== "x64" && architecture !== "arm64") throw unsupported(architecture);
  return {
    host: "local",
    provider: "local",
    address: "localhost",
    port: 22,
    user: "root",
    architecture: architecture === "x64" ? "amd64" : "arm64",
    labels: {},
  };
}

/** A project whose agents all run on this machine, wherever its fleet would place them, and nothing is public. */
export function onThisMachine<T extends ProjectInput>(project: T): T {
  const agents = project.agents.map((agent) => ({ ...agent, placement: undefined }));
  const gateway = { ...project.gateway, ingress: undefined };
  return { ...project, agents, gateway, hosts: [thisMachine()] };
}

function unsupported(architecture: string): AlError {
  return new AlError(`this machine has a ${architecture} processor; agents need amd64 or arm64`, {
    code: "unsupported-architecture",
    blame: "user",
    hint: "Write a fleet.toml whose hosts have one of them, or run al on such a machine.",
  });
}
