import { inspect } from "node:util";

const MASK = "[secret]";

/**
 * A value that must never be printed. Every ordinary way of turning it into text gives a mask;
 * only {@link Secret.reveal} gives the value, at the place where it is used.
 */
export class Secret {
  readonly #value: Buffer;

  constructor(value: string | Uint8Array) {
    this.#value = Buffer.from(value);
  }

  /** The bytes themselves. Never log, format or store the result. */
  revealBytes(): Buffer {
    return Buffer.from(this.#value);
  }

  /** The value as UTF-8 text. Never log, format or store the result. */
  reveal(): string {
    return this.#value.toString("utf8");
  }

  /** Length in bytes, which is not secret. */
  get byteLength(): number {
    return this.#value.byteLength;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
