import type { Readable } from "node:stream";
import type { CallOptions } from "../base/deadline.ts";
import type { ExecProcess } from "../transport/transport.ts";
import { execInContainer } from "./container-exec.ts";
import type { EngineConnection } from "./docker-connection.ts";
import { engineError } from "./docker-errors.ts";
import { EventJson } from "./docker-json.ts";
import { jsonObjects } from "./json-stream.ts";
import { demultiplex, type OutputChunk } from "./output-frames.ts";

/** Which logs to read. */
export interface LogOptions extends CallOptions {
  /** Go on until the container ends or the signal fires. Default false. */
  readonly follow?: boolean;
  /** Seconds since the Unix epoch, fractions allowed. */
  readonly since?: number;
  /** Every line starts with its time, RFC 3339 with nanoseconds, and a space. */
  readonly timestamps?: boolean;
  /** Only the last lines. */
  readonly tail?: number;
}

/** How a program is run in a running container. */
export interface ContainerExecOptions extends CallOptions {
  readonly user?: string;
  readonly workingDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether its standard input is open. Default false: end of file at once. */
  readonly stdin?: boolean;
}

/** Something that happened on the engine. */
export interface DockerEvent {
  /** `container`, `image`, `network`, `volume`. */
  readonly type: string;
  /** `start`, `die`, `oom`, `destroy` and others. */
  readonly action: string;
  readonly id: string;
  /** The object's labels, and facts such as `name` and `exitCode`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Milliseconds since the Unix epoch. */
  readonly timeMs: number;
}

/** Filters of the event stream in the engine's words: `{ type: ["container"], label: ["k=v"] }`. */
export type EventFilters = Readonly<Record<string, readonly string[]>>;

/** The calls of a DockerClient that stay open. The signal ends them at any time. */
export interface StreamCalls {
  /** Output of a container without a terminal, in order. */
  containerLogs(container: string, options?: LogOptions): AsyncIterable<OutputChunk>;
  /** Unpacks a tar archive at a directory of the container, which need not run. */
  putArchive(
    container: string,
    archive: Readable,
    options: CallOptions & { readonly path: string },
  ): Promise<void>;
  /**
   * Runs a program in a running container. Both outputs must be read, or resumed.
   * `kill` drops the connection; the program sees the end of its input, the engine offers no more.
   */
  exec(
    container: string,
    argv: readonly string[],
    options?: ContainerExecOptions,
  ): Promise<ExecProcess>;
  /** What happens from now on (or `since`, seconds since the epoch); the first `next` subscribes. */
  events(
    filters: EventFilters,
    options?: CallOptions & { readonly since?: number },
  ): AsyncIterable<DockerEvent>;
}

/** Calls that stay open, over one connection. */
export function streamCalls(connection: EngineConnection): StreamCalls {
  return {
    containerLogs: (container, options = {}) => readLogs(connection, container, options),
    async putArchive(container, archive, { path, ...options }) {
      const request = { path: `/containers/${encodeURIComponent(container)}/archive` };
      const what = `copy files into ${container}`;
      const call = { method: "PUT", query: { path }, archive, ...request, ...options } as const;
      await connection.call(what, call);
    },
    exec: (container, argv, options = {}) =>
      execInContainer(connection, { container, argv, ...options }),
    events: (filters, options = {}) => readEvents(connection, filters, options),
  };
}

async function* readLogs(
  connection: EngineConnection,
  container: string,
  { follow = false, since, timestamps, tail, ...options }: LogOptions,
): AsyncGenerator<OutputChunk> {
  const what = `read logs of ${container}`;
  const stream = await connection.stream(what, {
    path: `/containers/${encodeURIComponent(container)}/logs`,
    query: { stdout: true, stderr: true, follow, since, timestamps, tail },
    long: true,
    ...options,
  });
  yield* classified({ connection, what, stream, signal: options.signal, read: demultiplex });
}

async function* readEvents(
  connection: EngineConnection,
  filters: EventFilters,
  { since, ...options }: CallOptions & { readonly since?: number },
): AsyncGenerator<DockerEvent> {
  const what = "follow events";
  const query = { filters: JSON.stringify(filters), since };
  const request = { path: "/events", query, long: true, ...options };
  const stream = await connection.stream(what, request);
  const read = (source: Readable) => jsonObjects(source, EventJson);
  for await (const json of classified({ connection, what, stream, signal: options.signal, read })) {
    yield {
      type: json.Type,
      action: json.Action,
      id: json.Actor.ID,
      attributes: json.Actor.Attributes,
      timeMs: Math.floor(json.timeNano / 1e6),
    };
  }
}

/** Reads a stream so that its failure names host and call, and an abort throws its own reason. */
async function* classified<T>(options: {
  readonly connection: EngineConnection;
  readonly what: string;
  readonly stream: Readable;
  readonly signal: AbortSignal | undefined;
  readonly read: (stream: Readable) => AsyncIterable<T>;
}): AsyncGenerator<T> {
  try {
    yield* options.read(options.stream);
  } catch (thrown) {
    options.signal?.throwIfAborted();
    throw engineError(options.connection.host, options.what, thrown);
  } finally {
    options.stream.destroy();
  }
}
