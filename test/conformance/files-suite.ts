import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { removePaths } from "../../src/transport/files.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { removing, singleFiles, sweeping } from "./file-cases.ts";
import { newMarker } from "./probes.ts";
import { interruptedTrees, trees, treesInPlace } from "./tree-cases.ts";

/** A transport and a directory on its machine that is fresh for every test. */
export interface Desk {
  readonly transport: Transport;
  readonly directory: string;
}

/** What the file functions have to do over every transport. */
export function filesConformance(name: string, makeTransport: () => Promise<Transport>): void {
  describe(`files over ${name}`, () => {
    let transport: Transport;
    let root: string;
    let directory: string;

    beforeAll(async () => {
      transport = await makeTransport();
      const made = await transport.exec(["mktemp", "-d"]);
      root = made.stdout.toString().trim();
    });
    beforeEach(async () => {
      directory = `${root}/${newMarker()}`;
      await transport.exec(["mkdir", directory]);
    });
    afterAll(async () => {
      await removePaths(transport, [root], { root: "/tmp" });
      await transport.close();
    });

    const use = (): Desk => ({ transport, directory });
    describe("trees", () => trees(use));
    describe("trees in place", () => treesInPlace(use));
    describe("interrupted trees", () => interruptedTrees(use));
    describe("single files", () => singleFiles(use));
    describe("removing", () => removing(use));
    describe("sweeping", () => sweeping(use));
  });
}
