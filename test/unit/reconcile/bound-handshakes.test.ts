import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import { boundHandshakes } from "../../../src/reconcile/bound-handshakes.ts";
import type { HostsPort } from "../../../src/reconcile/ports.ts";
import { addressOf } from "../../memory-host/specs.ts";
import { createWorld } from "../../memory-host/world.ts";

/** Hosts whose handshakes end when they are told to. */
function slowHosts() {
  const { deps } = createWorld(["web-1"]);
  const begun: { end(error?: Error): void }[] = [];
  const held = async () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    begun.push({ end: (error) => (error ? reject(error) : resolve()) });
    await promise;
  };
  const hosts: HostsPort = {
    async readHostKey(address, options) {
      await held();
      return deps.hosts.readHostKey(address, options);
    },
    async connect(address, options) {
      await held();
      return deps.hosts.connect(address, options);
    },
  };
  return { hosts, begun };
}

const down = new AlError("down", { code: "unreachable", blame: "transient" });

test("handshakes are bounded over both kinds, and a failed one makes room like any other", async () => {
  const { hosts, begun } = slowHosts();
  const bounded = boundHandshakes(hosts, 2);
  const address = addressOf("web-1");
  const all = [
    bounded.connect(address, { fingerprint: "k" }),
    bounded.readHostKey(address),
    bounded.connect(address, { fingerprint: "k" }),
  ].map((work) => work.then(() => "made").catch(({ code }: AlError) => code));
  await turn();
  expect(begun).toHaveLength(2);
  begun[0]?.end(down);
  await turn();
  expect(begun).toHaveLength(3);
  for (const { end } of begun) end();
  expect((await Promise.all(all))[0]).toBe("unreachable");
});

test("an abort ends a waiting handshake without an attempt", async () => {
  const { hosts, begun } = slowHosts();
  const bounded = boundHandshakes(hosts, 1);
  const signal = AbortSignal.abort();
  const first = bounded.connect(addressOf("web-1"), { fingerprint: "k" });
  const second = bounded.connect(addressOf("web-1"), { fingerprint: "k", signal });
  await turn();
  begun[0]?.end(down);
  await expect(first).rejects.toThrow("down");
  await expect(second).rejects.toThrow("aborted");
  expect(begun).toHaveLength(1);
});
