import { join } from "node:path";
import { expect, test } from "vitest";
import { readOverlays } from "../../../src/cli/read-overlays.ts";
import { temporaryDirectory, writeFiles } from "../git/git-fixture.ts";

function places(files: Readonly<Record<string, string>>) {
  const root = temporaryDirectory();
  writeFiles(root, files);
  return { project: join(root, "project"), home: join(root, "home") };
}

const namesOf = ({ overlays }: Awaited<ReturnType<typeof readOverlays>>) =>
  overlays.map(({ file }) => file);

test("with neither file nor name there is nothing to lay over", async () => {
  expect(await readOverlays(places({}))).toEqual({ overlays: [], problems: [] });
});

test("-E or AL_ENV goes before the environment that .env.toml names", async () => {
  const where = places({
    "project/.env.toml": 'environment = "own"\n',
    "home/environments/own.toml": "",
    "home/environments/asked.toml": "",
  });
  expect(namesOf(await readOverlays(where))).toEqual([
    ".env.toml",
    "~/.action-llama/environments/own.toml",
  ]);
  expect(namesOf(await readOverlays({ ...where, environment: "asked" }))).toEqual([
    ".env.toml",
    "~/.action-llama/environments/asked.toml",
  ]);
});

test("an environment that is named and missing is a problem, and so is a name that is a path", async () => {
  const where = places({});
  const missing = await readOverlays({ ...where, environment: "staging" });
  expect(missing.problems[0]).toMatchObject({
    file: "~/.action-llama/environments/staging.toml",
    message: "is missing",
  });
  const path = await readOverlays({ ...where, environment: "../credentials/x" });
  expect(path.problems).toHaveLength(1);
  expect(path.overlays).toEqual([]);
});
