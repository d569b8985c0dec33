import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { findImports, type ImportUse } from "./imports.ts";

const BELOW_CLI = [
  "base core config credentials transport docker host git cloud provisioning state",
  "reconcile schedule gateway agent",
]
  .join(" ")
  .split(" ");

/** The import table of docs: a room may import itself and what its row lists, and nothing else. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  core: ["base"],
  config: ["base", "core"],
  credentials: ["base", "core"],
  transport: ["base"],
  docker: ["base", "core", "transport"],
  host: ["base", "core", "transport", "docker"],
  git: ["base", "transport"],
  cloud: ["base", "core"],
  provisioning: ["base", "core"],
  state: ["base", "core"],
  reconcile: ["base", "core"],
  schedule: ["base", "core"],
  gateway: ["base", "core"],
  agent: ["base", "core"],
  runtime: BELOW_CLI,
  cli: [...BELOW_CLI, "runtime"],
};

/** Rooms that touch the world; rooms that own ports must not know them, not even their types. */
export const ADAPTER_ROOMS = [
  "transport",
  "docker",
  "host",
  "git",
  "cloud",
  "state",
  "credentials",
] as const;
export const PORT_ROOMS = ["reconcile", "schedule", "gateway", "provisioning"] as const;

/** The only builtin that decides the same for equal input. */
const CORE_BUILTINS = ["node:crypto"];

/** What package.json says a file may import from npm. */
export interface Packages {
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

/** What is wrong with the imports of one file, a line each; `file` is relative to the repository. */
export function importProblems(
  file: string,
  source: string,
  packages: Packages,
): readonly string[] {
  return findImports(source).flatMap((use) => {
    const problem = problemOf(file, use, packages);
    if (problem === undefined) return [];
    const what = `${use.kind} of ${use.specifier ?? "something computed"}`;
    return [`${file}:${use.line}: ${what}: ${problem}`];
  });
}

/** The room a file lies in; `src` for files directly in src, undefined for all others. */
export function roomOf(file: string): string | undefined {
  const [top, room, ...rest] = file.split("/");
  if (top !== "src" || room === undefined) return undefined;
  return rest.length === 0 ? "src" : room;
}

function problemOf(file: string, use: ImportUse, packages: Packages): string | undefined {
  const room = roomOf(file) ?? "";
  const { specifier } = use;
  if (specifier === undefined) return "an import must name its module as a plain string";
  if (use.kind === "require") return "modules are imported, not required";
  if (specifier.startsWith(".")) {
    return roomProblem(room, posix.join(posix.dirname(file), specifier));
  }
  if (specifier.startsWith("node:") || isBuiltin(specifier)) {
    if (!specifier.startsWith("node:")) return `write node:${specifier}`;
    if (room !== "core" || CORE_BUILTINS.includes(specifier)) return undefined;
    return `core may import only ${CORE_BUILTINS.join(", ")} of Node`;
  }
  return packageProblem(file, specifier, packages);
}

function roomProblem(room: string, target: string): string | undefined {
  const wanted = roomOf(target);
  if (wanted === room) return undefined;
  const allowed = room === "src" ? Object.keys(ROOMS) : ROOMS[room];
  if (allowed === undefined) return `room ${room} is not in the table of rooms`;
  if (wanted !== undefined && allowed.includes(wanted)) return undefined;
  return `room ${room} may import only: ${allowed.join(", ") || "nothing"}`;
}

function packageProblem(file: string, specifier: string, packages: Packages): string | undefined {
  const [scope = "", name = ""] = specifier.split("/");
  const wanted = specifier.startsWith("@") ? `${scope}/${name}` : scope;
  const building = /^src\/build(-plugins)?\.ts$/.test(file);
  const allowed = [...packages.dependencies, ...(building ? packages.devDependencies : [])];
  if (allowed.includes(wanted)) return undefined;
  return `${wanted} is not among the dependencies of package.json: ${allowed.join(", ")}`;
}
