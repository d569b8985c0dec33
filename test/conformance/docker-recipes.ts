import { arch } from "node:process";
import type { ContextFile, ImageRecipe } from "../../src/core/desired.ts";
import { sha256 } from "../../src/core/fingerprint.ts";

/** A recipe as the core makes them: its spec hash says what is in it. */
export function recipeOf(
  reference: string,
  dockerfile: string,
  context: readonly ContextFile[] = [],
  needs: readonly string[] = [],
): ImageRecipe {
  const content = context.map((file) => `${file.path} ${sha256(file.content)}`);
  const specHash = sha256([reference, dockerfile, ...content].join("\n"));
  return {
    image: { name: "conformance", reference, specHash },
    architecture: arch === "arm64" ? "arm64" : "amd64",
    dockerfile,
    context,
    buildArgs: {},
    needs,
  };
}

/** A file of a build context. */
export function file(path: string, content: string | Buffer, executable = false): ContextFile {
  return { path, executable, content: Buffer.from(content as string) };
}

/**
 * A Linux program for x86-64 that exits with `code` and needs no libraries, so that an image may
 * consist of it alone: an ELF header, one program header, `exit(code)`.
 */
export function exitingProgram(code: number): Buffer {
  const image = Buffer.alloc(132);
  const base = 0x400000n;
  image.write("7f454c46020101", "hex");
  image.writeUInt16LE(2, 16);
  image.writeUInt16LE(0x3e, 18);
  image.writeUInt32LE(1, 20);
  image.writeBigUInt64LE(base + 120n, 24);
  image.writeBigUInt64LE(64n, 32);
  image.writeUInt16LE(64, 52);
  image.writeUInt16LE(56, 54);
  image.writeUInt16LE(1, 56);
  image.writeUInt32LE(1, 64);
  image.writeUInt32LE(5, 68);
  image.writeBigUInt64LE(base, 80);
  image.writeBigUInt64LE(base, 88);
  image.writeBigUInt64LE(132n, 96);
  image.writeBigUInt64LE(132n, 104);
  image.writeBigUInt64LE(0x1000n, 112);
  image.set([0xbf, code, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05], 120);
  return image;
}
