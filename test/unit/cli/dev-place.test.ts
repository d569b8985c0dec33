import { join } from "node:path";
import { expect, test } from "vitest";
import { devPlace } from "../../../src/cli/dev-place.ts";
import { thisMachine } from "../../../src/cli/this-machine.ts";
import { Name } from "../../../src/config/names.ts";
import { temporaryDirectory, writeFiles } from "../git/git-fixture.ts";

test("without a fleet.toml al dev and al apply share one deployment, named after the directory", async () => {
  const root = temporaryDirectory();
  writeFiles(root, { "My Agents/config.toml": "" });
  const { project, address } = await devPlace({ project: join(root, "My Agents") });
  expect(project).toBe("my-agents");
  expect(address).toMatchObject({ host: "local", provider: "local" });
});

test("with one, al dev has a name that no fleet can have", async () => {
  const project = temporaryDirectory();
  writeFiles(project, { "fleet.toml": '[project]\nname = "acme"\n[hosts.broken' });
  await expect(devPlace({ project })).rejects.toMatchObject({ code: "invalid-project" });
  writeFiles(project, { "fleet.toml": '[project]\nname = "acme"\nunknown = 1\n' });
  const place = await devPlace({ project });
  expect(place.project).toBe("acme_dev");
  expect(Name.safeParse(place.project).success).toBe(false);
});

test("this machine's architecture is in Docker's words", () => {
  expect(thisMachine("x64").architecture).toBe("amd64");
  expect(thisMachine("arm64").architecture).toBe("arm64");
  expect(() => thisMachine("riscv64")).toThrow("riscv64");
});
