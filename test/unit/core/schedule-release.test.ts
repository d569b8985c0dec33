import { expect, test } from "vitest";
import { desireFleet } from "../../../src/core/desire.ts";
import type { AgentInput } from "../../../src/core/project-input.ts";
import { ReleasedAgent } from "../../../src/core/released.ts";
import { ASSETS, agent, project } from "./project-fixture.ts";

function released(more: Partial<AgentInput>): unknown {
  const agents = [agent("a", more)];
  const fleet = desireFleet({ ...project(["one"], []), agents }, ASSETS, "1".repeat(40));
  const file = fleet.hosts[0]?.spec.release.files.find(({ path }) => path.endsWith("agent.json"));
  return JSON.parse(new TextDecoder().decode(file?.content));
}

test("a release has what an agent says of its schedule, and is the same as before where it says nothing", () => {
  const policy = { catchUp: "once", jitterSeconds: 60, onInterrupted: "rerun" } as const;
  expect(ReleasedAgent.parse(released(policy))).toMatchObject(policy);
  const defaults = { catchUp: "none", jitterSeconds: 0, onInterrupted: "none" } as const;
  const silent = released(defaults);
  expect(silent).toEqual(released({}));
  for (const name of Object.keys(defaults)) expect(silent).not.toHaveProperty(name);
  expect(ReleasedAgent.parse(silent)).toEqual(silent);
});
