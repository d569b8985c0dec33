import { expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import { treeHash } from "../../../src/core/fingerprint.ts";
import type { ObservedHost } from "../../../src/core/observed.ts";
import { resolveCredentials } from "../../../src/core/resolve-credentials.ts";
import { observeMachine } from "../../memory-host/observe.ts";
import { hostSpec } from "../../memory-host/specs.ts";
import { createWorld } from "../../memory-host/world.ts";

const TOKEN = "github_token/default/token";
const KEY = "git_ssh/botty/id_rsa";
const spec = hostSpec({
  revision: "r1",
  agents: { dev: { actions: "Fix issues.", credentials: [TOKEN, KEY] } },
});

async function deployed() {
  const world = createWorld();
  for (const path of [TOKEN, KEY]) world.values.set(path, new Secret(`value of ${path}`));
  await world.pass(spec);
  const observed = observeMachine(world.machine, "acme");
  const { held } = await world.deps.credentials.holdings(
    spec.credentials,
    observed.credentialKey ?? "",
  );
  return { observed, held, live: observed.current?.credentials ?? "" };
}

const heldOf = (held: readonly { path: string; hash: string }[], path: string) =>
  held.filter((file) => file.path === path);

test("what is held is enforced, what is not held is carried over in the version on the host", async () => {
  const { observed, held, live } = await deployed();
  const rotated = [{ path: TOKEN, hash: "a".repeat(64) }];
  const files = resolveCredentials(spec, observed, { held: rotated, absent: [KEY] });
  expect(files).toEqual([{ ...heldOf(held, KEY)[0], carriedFrom: live }, ...rotated]);
});

test("who holds nothing wants exactly the set that is live", async () => {
  const { observed, live } = await deployed();
  const files = resolveCredentials(spec, observed, { held: [], absent: [TOKEN, KEY] });
  expect(treeHash(files)).toBe(live);
});

test("a value that was altered on the host is accepted by who does not hold it", async () => {
  const { observed, live } = await deployed();
  const altered: ObservedHost = {
    ...observed,
    credentialSets: observed.credentialSets.map((tree) => ({
      ...tree,
      files: tree.files.map((file) => ({ ...file, hash: "b".repeat(64) })),
    })),
  };
  const files = resolveCredentials(spec, altered, { held: [], absent: [TOKEN, KEY] });
  expect(files.map(({ hash }) => hash)).toEqual(["b".repeat(64), "b".repeat(64)]);
  expect(treeHash(files)).not.toBe(live);
});

test("of a type without known fields everything on the host is kept, but no odd names", async () => {
  const { observed, live } = await deployed();
  const hash = "c".repeat(64);
  const paths = ["own/default/b", "own/default/a", "own/default/.hidden", "own/default/x\ny"];
  const files = paths.map((path) => ({ path, hash }));
  const host = { ...observed, credentialSets: [{ name: live, files, oddities: [] }] };
  const resolved = resolveCredentials(spec, host, { held: [], absent: ["own/default/*"] });
  expect(resolved.map(({ path }) => path)).toEqual(["own/default/a", "own/default/b"]);
});

test("while nothing is live, the set that was confirmed last is used", async () => {
  const { observed, live } = await deployed();
  const host = { ...observed, current: undefined };
  const files = resolveCredentials(spec, host, { held: [], absent: [TOKEN, KEY] });
  expect(files.map(({ carriedFrom }) => carriedFrom)).toEqual([live, live]);
});

test("what is in neither place is named, with its agents and the next command", async () => {
  const { observed } = await deployed();
  const bare = { ...observed, credentialSets: [] };
  const resolve = () => resolveCredentials(spec, bare, { held: [], absent: [KEY, TOKEN] });
  expect(resolve).toThrow(
    expect.objectContaining({
      code: "credential-missing",
      message: `host web-1: missing credentials: ${KEY} (for dev); ${TOKEN} (for dev); neither in your store nor live on the host`,
      hint: "Run `al creds add git_ssh:botty && al creds add github_token`, then apply again.",
    }),
  );
});

test("a lost key is named as the reason", async () => {
  const { observed } = await deployed();
  const trees = observed.credentialSets.map((tree) => ({ ...tree, files: [] }));
  const lost = { ...observed, credentialKey: undefined, credentialSets: trees };
  const resolve = () => resolveCredentials(spec, lost, { held: [], absent: [TOKEN] });
  expect(resolve).toThrow(/its credential.key is gone/);
});
