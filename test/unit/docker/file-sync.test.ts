import { once } from "node:events";
import { connect } from "node:http2";
import { duplexPair } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ContextFile } from "../../../src/core/desired.ts";
import { sendFiles } from "../../../src/docker/file-sync.ts";
import { type GrpcHandlers, serveGrpc } from "../../../src/docker/grpc-server.ts";
import {
  bytesField,
  bytesOf,
  numberField,
  numberOf,
  readFields,
  textOf,
} from "../../../src/docker/protobuf.ts";

const file = (path: string, content: string | Buffer = "", executable = false): ContextFile => ({
  path,
  executable,
  content: Buffer.from(content as string),
});

test("files come with their directories, modes and sizes, dated 1970 and owned by root", async () => {
  const files = [file("src/run.sh", "#!/bin/sh", true), file("README", "hi")];
  const { stats, contents } = await receive(files);
  expect(stats).toEqual([
    { path: "README", mode: 0o644, size: 2, uid: 0, modified: 0 },
    { path: "src", mode: 2 ** 31 + 0o755, size: 0, uid: 0, modified: 0 },
    { path: "src/run.sh", mode: 0o755, size: 9, uid: 0, modified: 0 },
  ]);
  expect(contents).toEqual({ README: "hi", "src/run.sh": "#!/bin/sh" });
});

test("a file larger than one message arrives whole", async () => {
  const content = Buffer.alloc(3_000_001, "0123456789abcdef");
  const { contents } = await receive([file("big", content)]);
  expect(contents.big === content.toString("utf8")).toBe(true);
});

test("whatever the paths, every directory comes before what is in it, and names ascend in it", async () => {
  const name = fc.stringMatching(/^[a-c.+-]{1,2}[a-cé]$/);
  const path = fc
    .array(name, { minLength: 1, maxLength: 3 })
    .map((parts) => `${parts.join("/d/")}.txt`);
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(path, { maxLength: 8 }), async (paths) => {
      const { stats } = await receive(paths.map((each) => file(each, each)));
      const last = new Map<string, Buffer>([["", Buffer.alloc(0)]]);
      for (const { path: each } of stats) {
        const cut = each.lastIndexOf("/");
        const directory = each.slice(0, Math.max(cut, 0));
        const base = Buffer.from(each.slice(cut + 1));
        expect(Buffer.compare(last.get(directory) as Buffer, base)).toBe(-1);
        last.set(directory, base);
        last.set(each, Buffer.alloc(0));
      }
    }),
    { numRuns: 40 },
  );
});

test("a method nobody serves is answered as unimplemented, a failing one with its reason", async () => {
  const failing = async () => Promise.reject(new Error("no such thing"));
  const client = dial({ "/a.B/Fails": failing });
  expect(await client.call("/a.B/Other")).toMatchObject({ "grpc-status": "12" });
  expect(await client.call("/a.B/Fails")).toMatchObject({
    "grpc-status": "2",
    "grpc-message": "no%20such%20thing",
  });
  client.close();
});

test("numbers beyond 32 bits survive encoding", () => {
  fc.assert(
    fc.property(fc.nat(), fc.maxSafeNat(), fc.string(), (small, large, text) => {
      const message = Buffer.concat([
        numberField(1, small),
        bytesField(2, text),
        numberField(30, large),
      ]);
      const fields = readFields(message);
      expect([numberOf(fields, 1), textOf(fields, 2), numberOf(fields, 30)]).toEqual([
        small,
        Buffer.from(text).toString("utf8"),
        large,
      ]);
    }),
  );
});

/** Does what BuildKit does: takes the list, asks for every file, and says when it is done. */
async function receive(files: readonly ContextFile[]) {
  const client = dial({ "/x.Y/Copy": (call) => sendFiles(call, files) });
  const stream = client.open("/x.Y/Copy");
  const stats: { path: string; mode: number; size: number; uid: number; modified: number }[] = [];
  const contents: Record<string, string> = {};
  const pieces = new Map<number, Buffer[]>();
  let asked = 0;
  const finishWhenAll = () => {
    if (asked === Object.keys(contents).length) stream.write(framed(numberField(1, 3)));
  };
  for await (const message of unframed(stream)) {
    const packet = readFields(message);
    const id = numberOf(packet, 3);
    const [stat] = bytesOf(packet, 2);
    if (numberOf(packet, 1) === 3) break;
    if (numberOf(packet, 1) === 2) {
      const [piece] = bytesOf(packet, 4);
      if (piece) pieces.get(id)?.push(Buffer.from(piece));
      else {
        contents[stats[id]?.path ?? ""] = Buffer.concat(pieces.get(id) ?? []).toString("utf8");
        finishWhenAll();
      }
    } else if (stat) {
      const fields = readFields(stat);
      const mode = numberOf(fields, 2);
      const found = { path: textOf(fields, 1), mode, size: numberOf(fields, 5) };
      stats.push({ ...found, uid: numberOf(fields, 3), modified: numberOf(fields, 6) });
    } else {
      const wanted = stats.flatMap(({ mode }, index) => (mode < 2 ** 31 ? [index] : []));
      asked = wanted.length;
      for (const index of wanted) {
        pieces.set(index, []);
        stream.write(framed(Buffer.concat([numberField(1, 1), numberField(3, index)])));
      }
      if (asked === 0) finishWhenAll();
    }
  }
  client.close();
  return { stats, contents };
}

function dial(handlers: GrpcHandlers) {
  const [ours, theirs] = duplexPair();
  serveGrpc(ours, handlers);
  const session = connect("http://docker", { createConnection: () => theirs });
  session.on("error", () => {});
  const open = (path: string) => {
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc" };
    const stream = session.request(headers);
    stream.on("error", () => {});
    return stream;
  };
  return {
    open,
    async call(path: string) {
      const stream = open(path);
      stream.end();
      const [[trailers]] = await Promise.all([once(stream, "trailers"), buffer(stream)]);
      return trailers;
    },
    close: () => session.destroy(),
  };
}

function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

async function* unframed(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      yield rest.subarray(5, end);
      rest = rest.subarray(end);
    }
  }
}
