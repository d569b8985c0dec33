import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { jsonObjects } from "../../../src/docker/json-stream.ts";
import { demultiplex } from "../../../src/docker/output-frames.ts";

test("output frames come apart the same, however the connection cuts them", async () => {
  const frames = fc.array(
    fc.record({ isError: fc.boolean(), bytes: fc.uint8Array({ maxLength: 40 }) }),
    { maxLength: 10 },
  );
  await fc.assert(
    fc.asyncProperty(frames, fc.integer({ min: 1, max: 25 }), async (list, pieceLength) => {
      const wire = Buffer.concat(list.map(({ isError, bytes }) => frame(isError ? 2 : 1, bytes)));
      const found = { stdout: "", stderr: "" };
      for await (const { stream, bytes } of demultiplex(Readable.from(pieces(wire, pieceLength)))) {
        found[stream] += bytes.toString("hex");
      }
      const expected = (wanted: boolean) =>
        list
          .filter(({ isError }) => isError === wanted)
          .map(({ bytes }) => Buffer.from(bytes).toString("hex"))
          .join("");
      expect(found).toEqual({ stdout: expected(false), stderr: expected(true) });
    }),
  );
});

test("a long frame is handed on before it has come to its end", async () => {
  const start = frame(1, Buffer.alloc(1 << 20)).subarray(0, 100);
  const source = new Readable({ read() {} });
  source.push(start);
  const next = await demultiplex(source).next();
  expect(next.value).toMatchObject({ stream: "stdout" });
  source.destroy();
});

test("JSON objects are read across chunk borders and characters of several bytes", async () => {
  const wire = Buffer.from('{"a":"größe"}\r\n\n{"a":"2"}\n{"a":"last"}');
  for (const length of [1, 3, 7, wire.length]) {
    const found = [];
    const source = Readable.from(pieces(wire, length));
    for await (const each of jsonObjects(source, z.object({ a: z.string() }))) found.push(each.a);
    expect(found).toEqual(["größe", "2", "last"]);
  }
});

test("a line that is not what was expected is an error, not skipped", async () => {
  const read = async (text: string) => {
    const source = Readable.from([Buffer.from(text)]);
    for await (const _each of jsonObjects(source, z.object({ a: z.string() })));
  };
  await expect(read('{"a":1}\n')).rejects.toMatchObject({ code: "docker-answer" });
  await expect(read("half {\n")).rejects.toMatchObject({ code: "docker-answer" });
});

function frame(type: number, bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = type;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

function pieces(wire: Buffer, length: number): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0; at < wire.length; at += length) cut.push(wire.subarray(at, at + length));
  return cut;
}
