import { expect } from "vitest";
import { startModelServer } from "../model-server/server.ts";
import { addCredential } from "../world/home.ts";
import { writeSampleProject } from "../world/sample-project.ts";
import { createWorld, orFail } from "../world/world.ts";

/** For what a host does that boots, or a runtime that starts. */
export const PATIENCE = { timeout: 60_000, interval: 500 };

/** A host on which the sample project is live, and what is done to it. */
export type DeployedGreeter = Awaited<ReturnType<typeof deployGreeter>>;

/** Applies the sample project to host `one` of a new world; its model does what it is told. */
export async function deployGreeter(project: string) {
  const world = await createWorld(project, () => {}, { hasBase: true });
  const { host, home, lab } = world;
  const expectedKey = `sk-${project}`;
  const model = await startModelServer({ host: host.gatewayAddress, expectedKey, script: [] });
  await addCredential(home, "anthropic_key/default/token", `${expectedKey}\n`);
  await writeSampleProject(world.copy, {
    project,
    baseImage: lab.baseImage,
    host: { name: "one", address: host.address, port: host.port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: model.url },
  });
  await world.copy.commit("first");
  await world.copy.push();
  await world.approveAll();
  orFail(await world.al("apply"));
  const inside = async (script: string) => (await host.exec(["sh", "-c", script])).stdout;
  return {
    world,
    /** From now on the model has runs carry out this command. */
    say(command: string): void {
      const toolCalls = [{ name: "bash", input: { command } }];
      model.use([{ turns: [{ toolCalls }, { text: "done" }] }]);
    },
    /** What a shell on the host prints. */
    inside,
    /** Starts a run; its id. */
    trigger: async () => orFail(await world.al("run", "greeter")).stdout.trim(),
    untilRunning: (run: string) =>
      expect
        .poll(() => inside(`docker ps -q --filter name=run-${run.toLowerCase()}`), PATIENCE)
        .not.toBe(""),
    async close(): Promise<void> {
      await model.close();
      await world.remove(project);
    },
  };
}
