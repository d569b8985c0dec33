import { dirname } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jsonLines } from "../world/al.ts";
import { COMPLAINTS, writeBadProject } from "../world/bad-project.ts";
import { addCredential } from "../world/home.ts";
import { writeSampleProject } from "../world/sample-project.ts";
import { traceOf, traceOfHost } from "../world/trace.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

const PROJECT = "bad-input";

let world: World;

beforeAll(async () => {
  world = await createWorld(PROJECT, () => {});
  const { host, lab, home, copy } = world;
  await addCredential(home, "anthropic_key/default/token", "sk-not-used");
  await writeSampleProject(copy, {
    project: PROJECT,
    baseImage: lab.baseImage,
    host: { name: "one", address: host.address, port: host.port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: "http://127.0.0.1:9" },
  });
  await commit("good");
  await world.approveAll();
  orFail(await world.al("apply"));
  await writeBadProject(copy);
  await commit("bad in every way");
}, 300_000);

afterAll(async () => world?.remove(PROJECT));

async function commit(message: string): Promise<void> {
  await world.copy.commit(message);
  await world.copy.push();
}

/** The complaints that no line of a report makes. */
function unsaid(report: string): readonly string[] {
  const lines = report.split("\n");
  const isSaid = ({ at, says }: (typeof COMPLAINTS)[number]) =>
    lines.some((line) => line.startsWith(at) && line.includes(says));
  return COMPLAINTS.filter((one) => !isSaid(one)).map(({ at, says }) => `${at} ${says}`);
}

test.each(["plan", "apply"])(
  "al %s names every class of bad input at once, and changes nothing anywhere",
  async (command) => {
    const here = dirname(world.home);
    const before = [await traceOf(here), await traceOfHost(world.host)];
    const { code, stdout, stderr } = await world.al(command);
    const [record, ...more] = jsonLines((await world.al("--json", command)).stdout);
    expect([await traceOf(here), await traceOfHost(world.host)]).toEqual(before);
    expect([code, stdout]).toEqual([1, ""]);
    expect(unsaid(stderr)).toEqual([]);
    expect(stderr).toContain("Nothing was changed. Mend these, commit, and try again.");
    expect(stderr).not.toContain("fine/");
    expect(more).toEqual([]);
    expect(record).toMatchObject({ kind: "error", code: "invalid-project", blame: "user" });
    expect(unsaid(String(record?.message))).toEqual([]);
  },
);
