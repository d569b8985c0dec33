import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Duplex } from "node:stream";
import { drained } from "./drained.ts";

/** One call of a gRPC client: messages in, messages out. */
export interface GrpcCall {
  readonly headers: IncomingHttpHeaders;
  readonly messages: AsyncIterable<Buffer>;
  /** Waits while the client takes no more. */
  send(message: Uint8Array): Promise<void>;
}

/** Handlers by path, such as `/package.Service/Method`; a call ends when its handler does. */
export type GrpcHandlers = Readonly<Record<string, (call: GrpcCall) => Promise<void>>>;

const OK = "0";
const UNKNOWN = "2";
const UNIMPLEMENTED = "12";

/**
 * Serves gRPC to whoever is at the other end of a stream, uncompressed, as far as BuildKit needs it:
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
 */
export function serveGrpc(socket: Duplex, handlers: GrpcHandlers): ServerHttp2Session {
  const session = performServerHandshake(socket, { settings: { initialWindowSize: 1 << 20 } });
  session.on("error", () => {});
  session.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    void answer(stream, headers, handlers).catch(() => stream.destroy());
  });
  return session;
}

async function answer(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  handlers: GrpcHandlers,
): Promise<void> {
  let trailers: Record<string, string> = { "grpc-status": OK };
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers(trailers));
  const path = String(headers[":path"]);
  const handler = Object.hasOwn(handlers, path) ? handlers[path] : undefined;
  if (!handler) trailers = { "grpc-status": UNIMPLEMENTED };
  try {
    await handler?.({
      headers,
      messages: readMessages(stream),
      send: (each) => send(stream, each),
    });
  } catch (thrown) {
    const message = encodeURIComponent(thrown instanceof Error ? thrown.message : String(thrown));
    trailers = { "grpc-status": UNKNOWN, "grpc-message": message };
  }
  stream.end();
}

/** One byte for compression, four for the length, big-endian. */
const PREFIX_BYTES = 5;

async function* readMessages(stream: ServerHttp2Stream): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  // A handler may stop reading and still has to answer: that must not end the stream.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + rest.readUInt32BE(1);
      if (rest.length < end) break;
      yield rest.subarray(PREFIX_BYTES, end);
      rest = rest.subarray(end);
    }
  }
}

async function send(stream: ServerHttp2Stream, message: Uint8Array): Promise<void> {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  if (stream.destroyed) throw new Error("the builder went away");
  if (stream.write(Buffer.concat([prefix, message]))) return;
  await drained(stream);
}
