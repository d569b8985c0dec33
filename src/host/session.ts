import type { CallOptions } from "../base/deadline.ts";
import type { ObservedHost } from "../core/observed.ts";
import type { Step, StepResult } from "../core/plan.ts";
import type { Stopped } from "../core/stopped.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { openDocker } from "../docker/docker-client.ts";
import type { Transport } from "../transport/transport.ts";
import { carryOut, type Materials, type StepInput } from "./carry-out.ts";
import { openControl, type RuntimeControl } from "./control.ts";
import { type HeldLock, type LockFence, type LockOptions, takeLock } from "./lock.ts";
import { type ObserveOptions, observeHost } from "./observe.ts";
import { readTree } from "./read-tree.ts";
import { removeStopped, writeStopped } from "./stopped.ts";

/** A step's context: what a pass knows beyond the step. */
export type SessionContext = Omit<StepInput, "transport" | "docker" | "control" | "materials">;

/** One connected host, with everything a pass does there on the one connection. */
export interface HostConnection {
  readonly docker: DockerClient;
  readonly control: RuntimeControl;
  observe(project: string, options?: ObserveOptions): Promise<ObservedHost>;
  lock(project: string, options: Omit<LockOptions, "project" | "fence">): Promise<HeldLock>;
  carryOut(step: Step, context: SessionContext): Promise<StepResult>;
  /** The files of a directory on the host, by relative path; empty when there is none. */
  readTree(directory: string, options?: CallOptions): Promise<ReadonlyMap<string, Buffer>>;
  /** Notes in the project's directory that an operator stopped it there. */
  writeStopped(projectDir: string, stopped: Stopped): Promise<void>;
  /** Takes that back. */
  removeStopped(projectDir: string): Promise<void>;
  /** False once the connection is known to have ended. */
  isAlive(): boolean;
  close(): Promise<void>;
}

/** How a host's side is opened. */
export interface HostOptions {
  /** Default `session`. */
  readonly fence?: LockFence | undefined;
  /** Path of the engine's socket on the host, where it is not the usual one. */
  readonly socketPath?: string | undefined;
}

/** Opens a host's side of passes on a transport, which it then owns. */
export function openHost(
  transport: Transport,
  materials: Materials,
  { fence = "session", socketPath }: HostOptions = {},
): HostConnection {
  const docker = openDocker(transport, { socketPath });
  const control = openControl(docker);
  let alive = true;
  const ended = () => {
    alive = false;
  };
  transport.lost.then(ended, ended);
  return {
    docker,
    control,
    observe: (project, options) => observeHost({ transport, docker, control }, project, options),
    lock: (project, options) => takeLock(transport, { project, fence, ...options }),
    carryOut: (step, context) =>
      carryOut(step, { ...context, transport, docker, control, materials }),
    readTree: (directory, options) => readTree(transport, directory, options),
    writeStopped: (projectDir, stopped) => writeStopped(transport, projectDir, stopped),
    removeStopped: (projectDir) => removeStopped(transport, projectDir),
    isAlive: () => alive,
    async close() {
      ended();
      control.close();
      docker.close();
      await transport.close();
    },
  };
}
