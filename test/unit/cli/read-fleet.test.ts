import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readFleet } from "../../../src/cli/read-fleet.ts";
import { temporaryDirectory } from "../git/git-fixture.ts";

const ONE = `[project]\nname = "acme"\n[hosts.one]\naddress = "192.0.2.1"\n`;
const TWO = `${ONE}[hosts.two]\naddress = "192.0.2.2"\n`;
const PUBLIC = `[gateway]\npublic = "agents.example.com"\n`;

/** What a project's directory says is public, committed or not. */
async function published(config: string | undefined, fleet = ONE) {
  const project = temporaryDirectory();
  writeFileSync(join(project, "fleet.toml"), fleet);
  if (config !== undefined) writeFileSync(join(project, "config.toml"), config);
  const { signal } = new AbortController();
  return (await readFleet({ project, gitVariables: {}, signal })).ingress;
}

test("a project's public name is read with its host", async () => {
  expect(await published(PUBLIC)).toMatchObject({
    host: "one",
    site: { name: "agents.example.com", tls: { kind: "acme" } },
  });
  expect(await published(`${PUBLIC}ingress = "two"\n`, TWO)).toMatchObject({ host: "two" });
});

test("what is wrong elsewhere in config.toml keeps nobody from looking", async () => {
  expect(await published(`scale = "many"\n${PUBLIC}`)).toMatchObject({ host: "one" });
});

test.each([
  ["nothing is said", undefined],
  ["nothing is public", "[gateway]\nport = 8090\n"],
])("where %s, there is no ingress", async (_what, config) => {
  expect(await published(config)).toBeUndefined();
});

test.each([
  ["is no name", `[gateway]\npublic = "https://agents.example.com"\n`, ONE],
  ["has no certain host", PUBLIC, TWO],
  ["has a host that is not there", `${PUBLIC}ingress = "three"\n`, ONE],
  ["is in a file that is no TOML", `${PUBLIC}[gateway\n`, ONE],
])("a public name that %s is unclear, and the hosts are read", async (_what, config, fleet) => {
  expect(await published(config, fleet)).toBe("unclear");
});
