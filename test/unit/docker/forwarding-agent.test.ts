import { duplexPair } from "node:stream";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { ForwardingAgent } from "../../../src/docker/forwarding-agent.ts";

test("looking at an agent costs nothing, however many connections it has", () => {
  const agent = new ForwardingAgent(async () => duplexPair()[0]);
  expect(inspect({ agent }, { showHidden: true, depth: null })).toBe("{ agent: ForwardingAgent }");
});

test("a plain stream gets what HTTP clients call on sockets, a connection that fails its error", async () => {
  const [stream] = duplexPair();
  const open = (connect: () => Promise<typeof stream>) =>
    new Promise<typeof stream>((resolve, reject) => {
      new ForwardingAgent(connect).createConnection({}, (error, opened) =>
        error ? reject(error) : resolve(opened),
      );
    });
  const socket = (await open(async () => stream)) as unknown as Record<string, () => unknown>;
  for (const method of ["setNoDelay", "setKeepAlive", "setTimeout", "ref", "unref"]) {
    expect(socket[method]?.()).toBe(stream);
  }
  await expect(open(() => Promise.reject(new Error("no way")))).rejects.toThrow("no way");
});
