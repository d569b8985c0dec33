import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Transport } from "../../src/transport/transport.ts";
import { expectGone, MIB, newMarker, sha256 } from "./probes.ts";

/** Arguments in, exits out. */
export function commands(use: () => Transport): void {
  test("every argument arrives byte for byte", async () => {
    const everyByte = Array.from({ length: 127 }, (_, index) => String.fromCharCode(index + 1));
    const nasty = [
      ...everyByte,
      everyByte.join(""),
      "",
      "-n",
      "--",
      "$(id)",
      "`id`",
      "é漢😀",
      "a\n",
    ];
    expect(await argumentsSeen(use(), nasty)).toEqual(nasty);
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { maxLength: 5 }), async (argv) => {
        expect(await argumentsSeen(use(), argv)).toEqual(argv);
      }),
      { numRuns: 25 },
    );
  });

  test("arguments that no command line can carry are refused", async () => {
    for (const argv of [[], [""], ["-x"], ["a=b"], ["true", "\0"], ["true", "\ud800"]]) {
      await expect(use().exec(argv)).rejects.toMatchObject({ code: "argv-invalid", blame: "bug" });
    }
  });

  test("an exit code is a result", async () => {
    for (const code of [0, 1, 42, 255]) {
      const result = await use().exec(["sh", "-c", `exit ${code}`]);
      expect(result).toMatchObject({ code, signal: null });
    }
  });

  test("a signal that ends the command is named", async () => {
    for (const signal of ["KILL", "TERM", "SEGV"]) {
      const result = await use().exec(["sh", "-c", `kill -s ${signal} $$`]);
      expect(result).toMatchObject({ code: null, signal: `SIG${signal}` });
    }
  });

  test("a missing program exits with 127 and one that may not be run with 126", async () => {
    const missing = await use().exec(["al-no-such-program"], { stdin: Buffer.alloc(MIB) });
    expect(missing.code).toBe(127);
    expect(missing.stderr.toString()).toContain("No such file");
    expect((await use().exec(["/etc/passwd"])).code).toBe(126);
  });

  test("300 quick commands lose no exit and no output", async () => {
    const numbers = Array.from({ length: 300 }, (_, index) => index);
    for (const chunk of [numbers.slice(0, 100), numbers.slice(100)]) {
      const results = await Promise.all(
        chunk.map((n) => use().exec(["sh", "-c", `echo ${n}; exit ${n % 7}`])),
      );
      expect(results.map(({ code, stdout }) => [code, stdout.toString()])).toEqual(
        chunk.map((n) => [n % 7, `${n}\n`]),
      );
    }
  });
}

/** Standard input, output and error. */
export function inputAndOutput(use: () => Transport): void {
  test("output is binary, and standard error stays apart", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const script = 'f=$(mktemp); cat >"$f"; cat "$f"; cat "$f" >&2; printf end >&2; rm "$f"';
    const result = await use().exec(["sh", "-c", script], {
      stdin: bytes,
    });
    expect(result.stdout).toEqual(bytes);
    expect(result.stderr).toEqual(Buffer.concat([bytes, Buffer.from("end")]));
  });

  test("without input a command sees an empty one", async () => {
    expect((await use().exec(["cat"])).stdout.byteLength).toBe(0);
  });

  test("50 MB of streamed input and 50 MB of output arrive intact", async () => {
    const chunks = Array.from({ length: 50 }, () => randomBytes(MIB));
    const there = await use().exec(["sha256sum"], { stdin: Readable.from(chunks) });
    expect(there.stdout.toString()).toContain(sha256(Buffer.concat(chunks)));
    const back = await use().exec(["cat"], { stdin: Readable.from(chunks) });
    expect(sha256(back.stdout)).toBe(sha256(Buffer.concat(chunks)));
  });

  test("a command may end without reading its input", async () => {
    let produced = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) {
          produced += 1;
          yield Buffer.alloc(MIB);
        }
      })(),
    );
    const result = await use().exec(["sh", "-c", "head -c 10; exit 3"], { stdin: endless });
    expect(result).toMatchObject({ code: 3, stdout: Buffer.alloc(10) });
    expect(endless.destroyed).toBe(true);
    expect(produced).toBeLessThan(64);
  });

  test("when the input's source fails, so does the call, and the command is ended", async () => {
    const marker = newMarker();
    const failing = Readable.from(
      (async function* () {
        yield Buffer.from("begin");
        await delay(100);
        throw new Error("the source broke");
      })(),
    );
    const call = use().exec(["sh", "-c", `cat; sleep 300; : ${marker}`], { stdin: failing });
    await expect(call).rejects.toThrow("the source broke");
    await expectGone(use(), marker);
  });

  test("too much output fails the call and ends the command", async () => {
    const marker = newMarker();
    const call = use().exec(["sh", "-c", `yes; : ${marker}`], { maxOutputBytes: MIB });
    await expect(call).rejects.toMatchObject({ code: "output-too-large" });
    await expectGone(use(), marker);
  });
}

const argument = fc
  .string({ unit: "binary", maxLength: 40 })
  .map((text) => text.replaceAll("\0", "0"));

async function argumentsSeen(transport: Transport, argv: readonly string[]): Promise<string[]> {
  const script = 'for a; do printf "%s\\0" "$a"; done';
  const { stdout } = await transport.exec(["sh", "-c", script, "sh", ...argv]);
  return stdout.toString("utf8").split("\0").slice(0, -1);
}
