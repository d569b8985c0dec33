import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkOwner, recordOwner } from "../../../src/cli/project-owner.ts";
import { temporaryDirectory } from "../git/git-fixture.ts";

test("the first directory that is deployed has the name, until it is gone", async () => {
  const home = temporaryDirectory();
  const [first, second] = [temporaryDirectory(), temporaryDirectory()];
  await checkOwner({ home, project: second }, "acme");
  await recordOwner({ home, project: first }, "acme");
  await recordOwner({ home, project: first }, "acme");
  const refused = recordOwner({ home, project: second }, "acme");
  await expect(refused).rejects.toMatchObject({ code: "name-taken", blame: "user" });
  await recordOwner({ home, project: second }, "other");
  rmSync(first, { recursive: true });
  await recordOwner({ home, project: second }, "acme");
  await checkOwner({ home, project: join(second, ".") }, "acme");
});
