/** One length-delimited or numeric field of a protobuf message. */
export type ProtobufField =
  | { readonly number: number; readonly bytes: Buffer }
  | { readonly number: number; readonly value: number };

/** The fields of a protobuf message in order; fixed-size numbers are skipped, we meet none. */
export function readFields(message: Buffer): readonly ProtobufField[] {
  const fields: ProtobufField[] = [];
  let position = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; position < message.length; factor *= 128) {
      const byte = message[position] as number;
      position += 1;
      value += (byte & 127) * factor;
      if (byte < 128) break;
    }
    return value;
  };
  while (position < message.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    switch (key % 8) {
      case 0:
        fields.push({ number, value: varint() });
        break;
      case 1:
        position += 8;
        break;
      case 5:
        position += 4;
        break;
      default: {
        const length = varint();
        fields.push({ number, bytes: message.subarray(position, position + length) });
        position += length;
      }
    }
  }
  return fields;
}

/** Every value of a repeated field of bytes, text or messages. */
export function bytesOf(fields: readonly ProtobufField[], number: number): readonly Buffer[] {
  return fields.flatMap((field) =>
    field.number === number && "bytes" in field ? [field.bytes] : [],
  );
}

/** A text field; empty when absent. */
export function textOf(fields: readonly ProtobufField[], number: number): string {
  return bytesOf(fields, number).at(-1)?.toString("utf8") ?? "";
}

/** A whole-number field; 0 when absent. */
export function numberOf(fields: readonly ProtobufField[], number: number): number {
  const found = fields.findLast((field) => field.number === number && "value" in field);
  return found && "value" in found ? found.value : 0;
}

/** A field of bytes, text or a message, encoded. */
export function bytesField(number: number, content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content as Uint8Array);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A whole-number field, encoded; at most 2^53 - 1. */
export function numberField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

/** Without bit operations: those end at 32 bits, signed. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
