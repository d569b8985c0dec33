import { afterAll, beforeAll, describe } from "vitest";
import type { Transport } from "../../src/transport/transport.ts";
import { commands, inputAndOutput } from "./command-cases.ts";
import { closing, endingCommands } from "./ending-cases.ts";
import { runningProcesses, unixSockets } from "./stream-cases.ts";

/** What every transport has to do, whatever is behind it. The machine needs /proc, sh, coreutils and perl. */
export function transportConformance(name: string, makeTransport: () => Promise<Transport>): void {
  describe(`transport ${name}`, () => {
    let transport: Transport;

    beforeAll(async () => {
      transport = await makeTransport();
    });
    afterAll(() => transport?.close());

    const use = () => transport;
    describe("commands", () => commands(use));
    describe("input and output", () => inputAndOutput(use));
    describe("ending commands", () => endingCommands(use));
    describe("running processes", () => runningProcesses(use));
    describe("unix sockets", () => unixSockets(use));
    describe("closing", () => closing(makeTransport));
  });
}
