import { type Duplex, PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import type { ExecProcess } from "../transport/transport.ts";
import type { EngineConnection } from "./docker-connection.ts";
import { engineError } from "./docker-errors.ts";
import { ExecJson, IdJson } from "./docker-json.ts";
import { drained } from "./drained.ts";
import { demultiplex } from "./output-frames.ts";

/** A program to run in a running container. */
export interface ContainerExec extends CallOptions {
  readonly container: string;
  readonly argv: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: boolean;
}

/** Runs a program in a running container over one hijacked connection. */
export async function execInContainer(
  connection: EngineConnection,
  run: ContainerExec,
): Promise<ExecProcess> {
  const what = `run ${run.argv[0]} in ${run.container}`;
  const { signal, timeoutMs } = run;
  const { Id: id } = await connection.json(what, IdJson, {
    method: "POST",
    path: `/containers/${encodeURIComponent(run.container)}/exec`,
    body: execBody(run),
    signal,
    timeoutMs,
  });
  const socket = await connection.hijack(what, {
    method: "POST",
    path: `/exec/${id}/start`,
    body: { Detach: false, Tty: false },
    signal,
    timeoutMs,
  });
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const delivered = distribute(socket, stdout, stderr);
  const exited = delivered.then(
    async () => ({ code: await exitCode(connection, what, id), signal: null }),
    (thrown) => {
      signal?.throwIfAborted();
      throw engineError(connection.host, what, thrown);
    },
  );
  // Seen by whoever awaits it; a caller that only uses the streams must not be ended by it.
  exited.catch(() => {});
  return { stdin: socket, stdout, stderr, exited, kill: () => void socket.destroy() };
}

function execBody(run: ContainerExec): Record<string, unknown> {
  return {
    Cmd: run.argv,
    AttachStdin: run.stdin ?? false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    ...(run.user === undefined ? {} : { User: run.user }),
    ...(run.workingDir === undefined ? {} : { WorkingDir: run.workingDir }),
    ...(run.env && { Env: Object.entries(run.env).map(([name, value]) => `${name}=${value}`) }),
  };
}

async function distribute(socket: Duplex, stdout: PassThrough, stderr: PassThrough): Promise<void> {
  try {
    for await (const { stream, bytes } of demultiplex(socket)) {
      const target = stream === "stdout" ? stdout : stderr;
      if (!target.destroyed && !target.write(bytes)) await drained(target);
    }
  } finally {
    stdout.end();
    stderr.end();
  }
}

/** The engine ends the output a moment before it knows the exit code. */
async function exitCode(connection: EngineConnection, what: string, id: string): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const state = await connection.json(what, ExecJson, { path: `/exec/${id}/json` });
    if (!state.Running && typeof state.ExitCode === "number") return state.ExitCode;
    await delay(Math.min(10 * 2 ** attempt, 500));
  }
  throw new AlError(`${connection.host}: cannot ${what}: it closed its output and did not end`, {
    code: "docker-failed",
    blame: "transient",
  });
}
