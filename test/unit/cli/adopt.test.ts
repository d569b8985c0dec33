import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { adopt } from "../../../src/cli/commands/adopt.ts";
import type { CliContext } from "../../../src/cli/context.ts";
import { createOutput } from "../../../src/cli/render/output.ts";
import { environment } from "../../lab/environment.ts";
import { freePort } from "../../lab/free-port.ts";
import { temporaryDirectory, writeFiles } from "../git/git-fixture.ts";

const PROJECT = '[project]\nname = "acme"\n';

let project: string;
let ssh: string;

beforeEach(async () => {
  project = temporaryDirectory();
  ssh = `deploy@127.0.0.1:${await freePort()}`;
});

/** Adopts a machine where nobody answers, in a project with this fleet.toml. */
async function attempt(fleet: string | undefined, name = "web-1"): Promise<unknown> {
  if (fleet !== undefined) writeFiles(project, { "fleet.toml": fleet });
  const before = fleet ?? "";
  const failed = await adopt(context(), name, {
    ssh,
    installDocker: false,
    harden: false,
    yes: false,
  }).catch((thrown: unknown) => thrown);
  const path = join(project, "fleet.toml");
  expect(existsSync(path) ? readFileSync(path, "utf8") : "").toBe(before);
  return failed;
}

function context(): CliContext {
  const nowhere = { write: () => true };
  return {
    home: join(temporaryDirectory(), ".action-llama"),
    project,
    output: createOutput(true, { out: nowhere, err: nowhere }),
    interactive: false,
    dockerSocket: "/nowhere",
    gitVariables: { PATH: environment.PATH ?? "" },
    signal: AbortSignal.timeout(20_000),
    holder: "a test",
    person: "ann@laptop",
  };
}

test.each([
  ["no fleet.toml", undefined],
  ["a host's table without an address", `${PROJECT}[hosts.web-1]\nlabels = { region = "fra" }\n`],
  ["another host", `${PROJECT}[hosts.web-2]\naddress = "192.0.2.2"\n`],
])(
  "with %s the machine is asked, and nothing is written when it does not answer",
  async (_what, fleet) => {
    expect(await attempt(fleet)).toMatchObject({ code: "unreachable" });
  },
);

test.each([
  ["another address", '[hosts.web-1]\naddress = "192.0.2.1"\n', "at 192.0.2.1"],
  ["another port", '[hosts.web-1]\naddress = "127.0.0.1"\nport = 1\n', "port 1"],
  ["a provider", '[hosts.web-1]\nprovider = "vultr"\n', "provider vultr"],
  ["this machine", '[hosts.web-1]\nprovider = "local"\n', "provider local"],
])("a name that has %s is not given to the machine", async (_what, table, said) => {
  expect(await attempt(PROJECT + table)).toMatchObject({
    code: "host-in-fleet",
    message: expect.stringContaining(said),
  });
});

test("what is not valid is said before anybody is asked", async () => {
  expect(await attempt("[hosts.broken")).toMatchObject({ code: "invalid-project" });
  expect(await attempt(`${PROJECT}hots = 1\n`)).toMatchObject({
    code: "invalid-project",
    message: expect.stringContaining("hots"),
  });
  expect(await attempt(`${PROJECT}[hosts]\nweb-1 = {}\n`)).toMatchObject({
    code: "fleet-not-editable",
  });
  expect(await attempt(PROJECT, "Web 1")).toMatchObject({ code: "host-name" });
});

test("the same machine is not two hosts", async () => {
  const [, port] = ssh.split(":");
  const fleet = `${PROJECT}[hosts.web-2]\naddress = "127.0.0.1"\nport = ${port}\n`;
  expect(await attempt(fleet)).toMatchObject({
    code: "invalid-project",
    message: expect.stringContaining("is the same machine as host `web-"),
  });
});

test("a bare repository, and what is not there, has no fleet.toml to write into", async () => {
  execFileSync("git", ["init", "--quiet", "--bare", project]);
  expect(await attempt(undefined)).toMatchObject({ code: "no-working-copy" });
  project = join(project, "nowhere");
  expect(await attempt(undefined)).toMatchObject({ code: "no-working-copy" });
});
