import { homedir, hostname, userInfo } from "node:os";
import { join } from "node:path";
import { AlError } from "../base/errors.ts";
import type { Output } from "./render/output.ts";

/** Where `al` runs and how it speaks. */
export interface CliContext {
  /** `~/.action-llama`: the operator's credentials and the controller's stores. */
  readonly home: string;
  /** The project: a checkout or a bare repository. Absolute. */
  readonly project: string;
  readonly output: Output;
  /** True when a person can be asked. */
  readonly interactive: boolean;
  /** The environment that `AL_ENV` names, for `al dev`. */
  readonly environment?: string | undefined;
  /** Socket of the local Docker engine. */
  readonly dockerSocket: string;
  /** Where Vultr's API is asked, unchecked; its own address when absent. */
  readonly vultrUrl?: string | undefined;
  /** What git may see of the environment: its own SSH agent and the like. */
  readonly gitVariables: Readonly<Record<string, string>>;
  /** Fires on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** What goes into the host lock, for others to read. */
  readonly holder: string;
  /** Who runs it, for the record of runs: `ann@laptop`. */
  readonly person: string;
}

/** The parts of the environment that `al` reads, and nothing else does. */
export interface Environment {
  readonly AL_ENV?: string | undefined;
  readonly AL_VULTR_URL?: string | undefined;
  readonly DOCKER_HOST?: string | undefined;
  readonly HOME?: string | undefined;
  readonly PATH?: string | undefined;
  readonly SSH_AUTH_SOCK?: string | undefined;
  readonly TERM?: string | undefined;
}

/** `~/.action-llama`. */
export function actionLlamaHome(): string {
  return join(homedir(), ".action-llama");
}

/** The local engine's socket: DOCKER_HOST where it names one, else the usual place. */
export function localDockerSocket({ DOCKER_HOST }: Environment): string {
  return DOCKER_HOST?.startsWith("unix://")
    ? DOCKER_HOST.slice("unix://".length)
    : "/var/run/docker.sock";
}

/** What git is given: where to find ssh, its known hosts and its agent. Nothing else of ours. */
export function gitVariables({ HOME, PATH, SSH_AUTH_SOCK }: Environment): Record<string, string> {
  const variables = Object.entries({ HOME, PATH, SSH_AUTH_SOCK });
  return Object.fromEntries(
    variables.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** `al apply, pid 7 on laptop`. */
export function holderName(command: string): string {
  return `al ${command}, pid ${process.pid} on ${hostname()}`;
}

/** `ann@laptop`. */
export function personName(): string {
  return `${userName()}@${hostname()}`.slice(0, 200);
}

/** A user id without an entry in the machine's list of users has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.()}`;
  }
}

/** An AbortSignal for SIGINT and SIGTERM; a second one ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const [name, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const) {
    // Without a listener, however briefly, the signal would end the process.
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(128 + number);
      const hint = "The same command goes on where this one stopped.";
      const message = `interrupted by ${name}`;
      controller.abort(new AlError(message, { code: "interrupted", blame: "user", hint }));
    });
  }
  return controller.signal;
}
