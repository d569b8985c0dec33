import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { z } from "zod";
import { AlError } from "../base/errors.ts";

/**
 * The JSON objects of an engine's answer, one per line.
 * @throws AlError `docker-answer` when one does not fit the schema: a skipped line could be an error.
 */
export async function* jsonObjects<T extends z.ZodType>(
  stream: Readable,
  schema: T,
): AsyncGenerator<z.infer<T>> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield* parseLine(line, schema);
  }
  yield* parseLine(rest, schema);
}

function* parseLine<T extends z.ZodType>(line: string, schema: T): Generator<z.infer<T>> {
  if (line.trim() === "") return;
  const parsed = schema.safeParse(parseJson(line));
  if (!parsed.success) {
    throw new AlError(`unexpected line in an answer of Docker: ${line.slice(0, 200)}`, {
      code: "docker-answer",
      blame: "bug",
      cause: parsed.error,
    });
  }
  yield parsed.data;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
