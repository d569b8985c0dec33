import type { ContextFile } from "../core/desired.ts";
import type { GrpcCall } from "./grpc-server.ts";
import { bytesField, numberField, numberOf, readFields, textOf } from "./protobuf.ts";

/** A directory as BuildKit asks for it; its files' paths are relative and `/`-separated. */
export type SyncedFiles = readonly ContextFile[];

// Packet types and Go's bit for directories, of github.com/tonistiigi/fsutil (types/wire.proto).
const STAT = 0;
const REQUEST = 1;
const DATA = 2;
const FINISHED = 3;
const FAILED = 4;
const DIRECTORY = 2 ** 31;

const CHUNK_BYTES = 256 * 1024;

/**
 * Answers one `moby.filesync.v1.FileSync/DiffCopy` call: lists the files, then sends those that are
 * asked for. All are owned by root and dated 1970, so that equal files give equal layers.
 */
export async function sendFiles(call: GrpcCall, files: SyncedFiles): Promise<void> {
  const entries = entriesOf(files);
  const listing = (async () => {
    for (const entry of entries) await call.send(statPacket(entry));
    await call.send(numberField(1, STAT));
  })();
  const serving = (async () => {
    for await (const message of call.messages) {
      const packet = readFields(message);
      const kind = numberOf(packet, 1);
      if (kind === FAILED) throw new Error(`BuildKit refused the context: ${textOf(packet, 4)}`);
      if (kind === FINISHED) return call.send(numberField(1, FINISHED));
      if (kind === REQUEST) await sendContent(call, numberOf(packet, 3), entries);
    }
  })();
  await Promise.all([listing, serving]);
}

interface Entry {
  readonly path: string;
  readonly file?: ContextFile;
}

/** Files and the directories they are in, in the order in which a walk would come by. */
function entriesOf(files: SyncedFiles): readonly Entry[] {
  const entries = new Map<string, Entry>();
  for (const file of files) {
    const parts = file.path.split("/");
    for (let depth = 1; depth < parts.length; depth += 1) {
      const path = parts.slice(0, depth).join("/");
      entries.set(path, { path });
    }
    entries.set(file.path, { path: file.path, file });
  }
  const sortKey = ({ path }: Entry) => Buffer.from(path.replaceAll("/", "\0"));
  return [...entries.values()].sort((a, b) => Buffer.compare(sortKey(a), sortKey(b)));
}

function statPacket({ path, file }: Entry): Buffer {
  const mode = file ? (file.executable ? 0o755 : 0o644) : DIRECTORY + 0o755;
  const stat = [bytesField(1, path), numberField(2, mode)];
  if (file) stat.push(numberField(5, file.content.length));
  return Buffer.concat([numberField(1, STAT), bytesField(2, Buffer.concat(stat))]);
}

/** Pieces of the file, then an empty one. */
async function sendContent(call: GrpcCall, id: number, entries: readonly Entry[]): Promise<void> {
  const content = entries[id]?.file?.content ?? Buffer.alloc(0);
  const head = Buffer.concat([numberField(1, DATA), numberField(3, id)]);
  for (let at = 0; at < content.length; at += CHUNK_BYTES) {
    const piece = bytesField(4, content.subarray(at, at + CHUNK_BYTES));
    await call.send(Buffer.concat([head, piece]));
  }
  await call.send(head);
}
