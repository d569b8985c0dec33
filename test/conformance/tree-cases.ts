import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { Secret } from "../../src/base/secret.ts";
import { sweepTemporary, writeTree } from "../../src/transport/files.ts";
import type { Transport } from "../../src/transport/transport.ts";
import type { TreeEntry } from "../../src/transport/tree-archive.ts";
import type { Desk } from "./files-suite.ts";
import { expectGone, MIB } from "./probes.ts";

/** Writing whole directories. */
export function trees(use: () => Desk): void {
  test("a tree arrives with its bytes, its modes and nothing else", async () => {
    const { transport, directory } = use();
    await writeTree(transport, `${directory}/tree`, [
      { path: "run.sh", mode: 0o755, content: Buffer.from("#!/bin/sh\n") },
      { path: "deep/er/data", mode: 0o640, content: Buffer.from([0, 255, 10, 0]) },
      { path: "empty", mode: 0o600, content: Buffer.alloc(0) },
    ]);
    const modes = await lines(transport, `cd ${directory}/tree && find . -printf '%p %m\n' | sort`);
    expect(modes).toEqual([
      ". 700",
      "./deep 700",
      "./deep/er 700",
      "./deep/er/data 640",
      "./empty 600",
      "./run.sh 755",
    ]);
    expect(await contentOf(transport, `${directory}/tree/deep/er/data`)).toEqual(
      Buffer.from([0, 255, 10, 0]),
    );
    expect(await names(transport, directory)).toEqual(["tree"]);
  });

  test("odd and long names are names like others", async () => {
    const { transport, directory } = use();
    const odd = [
      "-rf",
      "a b",
      "new\nline",
      "é漢😀",
      "'\"`$(x)",
      ".tmp-x",
      `${"d".repeat(120)}/${"f".repeat(200)}`,
    ];
    const dir = `${directory}/--odd dir'\n`;
    await writeTree(
      transport,
      dir,
      odd.map((path) => ({ path, mode: 0o600, content: Buffer.from(path) })),
    );
    for (const path of odd)
      expect(await contentOf(transport, `${dir}/${path}`)).toEqual(Buffer.from(path));
  });
}

/** Writing where something is, and where nothing can be. */
export function treesInPlace(use: () => Desk): void {
  test("writing again heals edited, missing and added files", async () => {
    const { transport, directory } = use();
    const dir = `${directory}/tree`;
    const entries = [entry("a", "alpha"), entry("b/c", "gamma")];
    await writeTree(transport, dir, entries);
    await transport.exec([
      "sh",
      "-c",
      'cd "$1"; echo evil >a; rm b/c; echo >foreign; chmod 777 .',
      "sh",
      dir,
    ]);
    await writeTree(transport, dir, entries);
    expect(await lines(transport, `cd ${dir} && find . -type f | sort`)).toEqual(["./a", "./b/c"]);
    expect((await contentOf(transport, `${dir}/a`)).toString()).toBe("alpha");
    expect(await names(transport, directory)).toEqual(["tree"]);
  });

  test("a tree takes the place of a file or a dangling link of its name", async () => {
    const { transport, directory } = use();
    await transport.exec([
      "sh",
      "-c",
      'cd "$1"; echo >file; ln -s /nonexistent link',
      "sh",
      directory,
    ]);
    for (const name of ["file", "link"]) {
      await writeTree(transport, `${directory}/${name}`, [entry("x", name)]);
      expect((await contentOf(transport, `${directory}/${name}/x`)).toString()).toBe(name);
    }
    expect(await names(transport, directory)).toEqual(["file", "link"]);
  });

  test("missing parents are made, private", async () => {
    const { transport, directory } = use();
    await writeTree(transport, `${directory}/p/q/tree`, []);
    expect(await lines(transport, `cd ${directory} && find p -printf '%p %m\n' | sort`)).toEqual([
      "p 700",
      "p/q 700",
      "p/q/tree 700",
    ]);
  });

  test("a secret is written but never stands in a command line", async () => {
    const { transport, directory } = use();
    const seen: string[] = [];
    const watched: Transport = {
      ...transport,
      exec(argv, options) {
        seen.push(...argv);
        return transport.exec(argv, options);
      },
    };
    await writeTree(watched, `${directory}/s`, [
      { path: "token", mode: 0o600, content: new Secret("hunter2") },
    ]);
    expect((await contentOf(transport, `${directory}/s/token`)).toString()).toBe("hunter2");
    expect(seen.join()).not.toContain("hunter2");
  });

  test("a failure names host and path and leaves nothing behind", async () => {
    const { transport, directory } = use();
    await transport.exec(["touch", `${directory}/file`]);
    await expect(writeTree(transport, `${directory}/file/tree`, [])).rejects.toMatchObject({
      code: "file-failed",
      message: expect.stringContaining(
        `host ${transport.host}: cannot write ${directory}/file/tree`,
      ),
    });
    expect(await names(transport, directory)).toEqual(["file"]);
  });
}

/** Aborts at every moment. */
export function interruptedTrees(use: () => Desk): void {
  test("whenever it is interrupted, the directory is the old tree or the new one, and a sweep takes the rest", async () => {
    const { transport, directory } = use();
    const dir = `${directory}/tree`;
    const tree = (letter: string) =>
      Array.from({ length: 20 }, (_, n) => entry(`${letter}${n}`, letter.repeat(MIB)));
    await writeTree(transport, dir, tree("a"));
    const outcomes = new Set<string>();
    for (const afterMs of [5, 20, 40, 60, 80, 120, 160, 240]) {
      const controller = new AbortController();
      const write = writeTree(transport, dir, tree("b"), { signal: controller.signal }).then(
        () => "written",
        () => "aborted",
      );
      await Promise.race([delay(afterMs), write]);
      controller.abort();
      outcomes.add(await write);
      expect(await namesAfterSweep(transport, directory)).toEqual(["tree"]);
      await expectWhole(transport, dir, 20);
    }
    expect(outcomes).toContain("aborted");
  });
}

/** The tree holds `count` files of one letter, a mebibyte of it in each. */
export async function expectWhole(transport: Transport, dir: string, count: number): Promise<void> {
  const files = await lines(transport, `cd ${dir} && find . -type f -size 1024k -printf '%f\n'`);
  expect(files).toHaveLength(count);
  expect(new Set(files.map((name) => name[0])).size).toBe(1);
  expect(
    await lines(transport, `cat ${dir}/* | fold -w 65536 | sort -u | cut -c1 | tr -d '\n'`),
  ).toEqual([files[0]?.[0]]);
}

/** A private text file. */
export function entry(path: string, text: string): TreeEntry {
  return { path, mode: 0o600, content: Buffer.from(text) };
}

/** What lies in a directory when no command that names it runs any more and `.tmp-*` is swept. */
export async function namesAfterSweep(transport: Transport, directory: string): Promise<string[]> {
  await expectGone(transport, basename(directory));
  await sweepTemporary(transport, directory);
  return names(transport, directory);
}

/** What lies in a directory, sorted. */
export async function names(transport: Transport, directory: string): Promise<string[]> {
  return lines(transport, `ls -A ${directory}`);
}

async function lines(transport: Transport, script: string): Promise<string[]> {
  const { stdout } = await transport.exec(["sh", "-c", script]);
  return stdout
    .toString()
    .split("\n")
    .filter((line) => line !== "");
}

async function contentOf(transport: Transport, path: string): Promise<Buffer> {
  return (await transport.exec(["cat", "--", path])).stdout;
}
