import { PassThrough, type Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { finished, pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import type { CommandResult } from "./command.ts";

/** Runs a program as root in a container to its end, with an optional standard input. */
export async function execIn(
  docker: Docker,
  container: Docker.Container,
  argv: readonly string[],
  stdin?: Readable,
): Promise<CommandResult> {
  const exec = await container.exec({
    Cmd: [...argv],
    AttachStdin: stdin !== undefined,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: stdin !== undefined });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, stdout, stderr);
  const output = Promise.all([text(stdout), text(stderr)]);
  const ended = finished(stream, { writable: false }).finally(() => {
    stdout.end();
    stderr.end();
  });
  if (stdin) await pipeline(stdin, stream);
  await ended;
  const [out, err] = await output;
  const { ExitCode } = await exec.inspect();
  return { code: ExitCode ?? -1, stdout: out, stderr: err };
}
