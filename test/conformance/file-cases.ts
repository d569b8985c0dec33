import { expect, test } from "vitest";
import { Secret } from "../../src/base/secret.ts";
import {
  readFile,
  removePaths,
  sweepTemporary,
  writeFileAtomic,
} from "../../src/transport/files.ts";
import type { Desk } from "./files-suite.ts";
import { names } from "./tree-cases.ts";

/** Writing and reading one file. */
export function singleFiles(use: () => Desk): void {
  test("a file is replaced whole, with its mode, and read back byte for byte", async () => {
    const { transport, directory } = use();
    const path = `${directory}/new/-file 'x'`;
    for (const content of [Buffer.from([0, 1, 255]), Buffer.alloc(0), new Secret("s3cret")]) {
      await writeFileAtomic(transport, path, content, { mode: 0o640 });
      const expected = content instanceof Secret ? content.revealBytes() : content;
      expect(await readFile(transport, path)).toEqual(expected);
    }
    expect((await transport.exec(["stat", "-c", "%a", "--", path])).stdout.toString()).toBe(
      "640\n",
    );
    expect(await names(transport, `${directory}/new`)).toEqual(["-file 'x'"]);
  });

  test("who reads while it is written sees one version, whole", async () => {
    const { transport, directory } = use();
    const path = `${directory}/state`;
    const versions = [Buffer.alloc(200_000, "a"), Buffer.alloc(200_000, "b")] as const;
    await writeFileAtomic(transport, path, versions[0]);
    let writing = true;
    const writer = (async () => {
      for (let n = 1; n <= 12; n += 1)
        await writeFileAtomic(transport, path, n % 2 ? versions[1] : versions[0]);
      writing = false;
    })();
    while (writing) {
      const seen = await readFile(transport, path);
      expect(versions.some((version) => seen?.equals(version))).toBe(true);
    }
    await writer;
  });

  test("a directory is not replaced by a file", async () => {
    const { transport, directory } = use();
    await transport.exec(["mkdir", `${directory}/d`]);
    await expect(
      writeFileAtomic(transport, `${directory}/d`, Buffer.from("x")),
    ).rejects.toMatchObject({ code: "file-failed" });
    expect(await names(transport, directory)).toEqual(["d"]);
  });

  test("a missing file reads as undefined; what cannot be read is an error", async () => {
    const { transport, directory } = use();
    expect(await readFile(transport, `${directory}/none`)).toBeUndefined();
    expect(await readFile(transport, `${directory}/none/either`)).toBeUndefined();
    await expect(readFile(transport, directory)).rejects.toMatchObject({
      code: "file-failed",
      message: expect.stringContaining(directory),
    });
  });

  test("a file over the limit is refused, one at the limit is not", async () => {
    const { transport, directory } = use();
    await writeFileAtomic(transport, `${directory}/f`, Buffer.alloc(1000));
    expect((await readFile(transport, `${directory}/f`, { maxBytes: 1000 }))?.byteLength).toBe(
      1000,
    );
    await expect(readFile(transport, `${directory}/f`, { maxBytes: 999 })).rejects.toMatchObject({
      code: "output-too-large",
    });
  });
}

/** Deleting. */
export function removing(use: () => Desk): void {
  test("files, trees and links go, and not what links lead to", async () => {
    const { transport, directory } = use();
    const make =
      'cd "$1"; mkdir -p tree/x keep; echo >keep/f; echo >tree/x/f; ln -s ../keep tree/link; ln -s keep l; echo >-n';
    await transport.exec(["sh", "-c", make, "sh", directory]);
    const paths = ["tree", "l", "-n", "missing", "missing/too"].map(
      (name) => `${directory}/${name}`,
    );
    await removePaths(transport, paths, { root: directory });
    await removePaths(transport, paths, { root: directory });
    expect(await names(transport, directory)).toEqual(["keep"]);
    expect(await names(transport, `${directory}/keep`)).toEqual(["f"]);
  });

  test("nothing is deleted outside the root, by name or through a link", async () => {
    const { transport, directory } = use();
    const make =
      'cd "$1"; mkdir root outside; echo >outside/f; ln -s ../outside root/way-out; echo >root/f';
    await transport.exec(["sh", "-c", make, "sh", directory]);
    const root = `${directory}/root`;
    const invalid = [
      "f",
      root,
      `${root}/`,
      `${root}/../outside`,
      `${root}/./f`,
      `${root}-not`,
      "/",
      `${root}/a//b`,
    ];
    for (const path of invalid) {
      await expect(removePaths(transport, [`${root}/f`, path], { root })).rejects.toMatchObject({
        code: "path-invalid",
      });
    }
    await expect(removePaths(transport, [`${root}/way-out/f`], { root })).rejects.toMatchObject({
      code: "file-access",
    });
    expect(await names(transport, root)).toEqual(["f", "way-out"]);
    expect(await names(transport, `${directory}/outside`)).toEqual(["f"]);
  });

  test("thousands of paths are no problem, nor is a missing root", async () => {
    const { transport, directory } = use();
    await transport.exec([
      "sh",
      "-c",
      'cd "$1" && seq -f "a-rather-long-name-for-a-file-%g" 3000 | xargs touch',
      "sh",
      directory,
    ]);
    const paths = (await names(transport, directory)).map((name) => `${directory}/${name}`);
    expect(paths).toHaveLength(3000);
    await removePaths(transport, paths, { root: directory });
    expect(await names(transport, directory)).toEqual([]);
    await removePaths(transport, [`${directory}/none/x`], { root: `${directory}/none` });
  });
}

/** Clearing up. */
export function sweeping(use: () => Desk): void {
  test("a sweep takes what interrupted writes left, and nothing else", async () => {
    const { transport, directory } = use();
    await transport.exec([
      "sh",
      "-c",
      'cd "$1"; mkdir -p .tmp-1/tree .other; echo >.tmp-2; echo >file',
      "sh",
      directory,
    ]);
    await sweepTemporary(transport, directory);
    await sweepTemporary(transport, directory);
    await sweepTemporary(transport, `${directory}/none`);
    expect(await names(transport, directory)).toEqual([".other", "file"]);
  });
}
