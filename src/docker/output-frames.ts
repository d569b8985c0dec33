import type { Readable } from "node:stream";

/** A piece of what a container's process wrote. */
export interface OutputChunk {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Buffer;
}

const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * Takes apart the engine's multiplexed output: frames of one type byte, three zero bytes, a
 * big-endian length and that many bytes. Pieces of long frames are handed on as they come.
 */
export async function* demultiplex(source: Readable): AsyncGenerator<OutputChunk> {
  let header: Buffer = Buffer.alloc(0);
  let stream: OutputChunk["stream"] = "stdout";
  let missing = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    let offset = 0;
    while (offset < chunk.length) {
      if (missing === 0) {
        const part = chunk.subarray(offset, offset + HEADER_BYTES - header.length);
        header = header.length === 0 ? part : Buffer.concat([header, part]);
        offset += part.length;
        if (header.length < HEADER_BYTES) break;
        stream = header[0] === STDERR ? "stderr" : "stdout";
        missing = header.readUInt32BE(4);
        header = Buffer.alloc(0);
      } else {
        const bytes = chunk.subarray(offset, offset + missing);
        offset += bytes.length;
        missing -= bytes.length;
        yield { stream, bytes };
      }
    }
  }
}
