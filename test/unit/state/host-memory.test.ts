import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { KnownHost } from "../../../src/core/known-host.ts";
import { openControllerStore } from "../../../src/state/controller-store.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-store-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const network = { name: "al-acme", bridge: "al-1", subnet: "10.213.1.0/24", gateway: "10.213.1.1" };
const known: KnownHost = {
  address: {
    ...{ host: "one", provider: "ssh", address: "192.0.2.1", port: 22, user: "al" },
    labels: { zone: "a" },
  },
  inventory: {
    items: [{ kind: "release", id: "a".repeat(64) }],
    confirmed: {
      ...{ project: "acme", host: "one", revision: "b".repeat(40), network },
      ...{ release: "a".repeat(64), credentials: "c".repeat(64), runtime: "al-acme-runtime-1" },
    },
  },
  agents: ["dev"],
};

test("a host is remembered as it was last seen, across processes, until it is forgotten", () => {
  const store = openControllerStore(directory);
  store.remember({ ...known, agents: [] });
  store.remember(known);
  store.remember({ ...known, address: { ...known.address, host: "a" } });
  store.close();
  const again = openControllerStore(directory);
  expect(again.knownHosts().map(({ address }) => address.host)).toEqual(["a", "one"]);
  expect(again.knownHosts()[1]).toEqual(known);
  again.forget("one");
  again.forget("one");
  expect(again.knownHosts()).toHaveLength(1);
  again.close();
});

test("consent to a prune is for exactly one revision", () => {
  const store = openControllerStore(directory);
  store.consentToPrune("r1", 1);
  store.consentToPrune("r1", 2);
  expect([store.hasPruneConsent("r1"), store.hasPruneConsent("r2")]).toEqual([true, false]);
  store.close();
});
