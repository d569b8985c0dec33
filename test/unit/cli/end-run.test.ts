import { beforeEach, expect, test } from "vitest";
import { endRun } from "../../../src/cli/commands/end-run.ts";
import type { Run } from "../../../src/core/run.ts";
import { controlApi } from "../../../src/gateway/control-api.ts";
import { createPorts } from "../gateway/harness.ts";

const { signal } = new AbortController();
const none = { agent: "dev", killed: [], cancelled: [], failed: [] };

let ports: ReturnType<typeof createPorts>;
beforeEach(() => {
  ports = createPorts();
});

function end(id: string) {
  const app = controlApi(ports);
  const fetch = async (_runtime: string, url: string, init?: RequestInit) => app.request(url, init);
  const connection = { control: { fetch }, docker: { host: "one" } } as never;
  return endRun({ connection, runtime: "al-p-runtime-1" }, id, signal);
}

/** While the runtime deals with the order, the run becomes this; its answer is whether it ended it. */
function becomes(facts: Partial<Run>, isKilled: boolean): void {
  ports.schedule.kill = async () => {
    Object.assign(ports.run, facts);
    return isKilled;
  };
}

test("a run that was running is killed, whether its end is recorded yet or not", async () => {
  expect(await end("01A")).toEqual({ ...none, killed: ["01A"] });
  becomes({ state: "finished", outcome: "killed" }, true);
  expect(await end("01A")).toEqual({ ...none, killed: ["01A"] });
});

test("a run that waited is dropped, and not said to be killed", async () => {
  Object.assign(ports.run, { state: "queued" });
  becomes({ state: "finished", outcome: "cancelled" }, true);
  expect(await end("01A")).toEqual({ ...none, cancelled: ["01A"] });
});

test("a run that runs on although it was to be killed is not said not to run", async () => {
  ports.state.killable = false;
  expect(await end("01A")).toEqual({ ...none, failed: ["01A"] });
});

test("a run that ends by itself meanwhile, or had before, tells how", async () => {
  becomes({ state: "finished", outcome: "completed" }, false);
  expect(await end("01A")).toEqual({ ...none, ended: "completed" });
  expect(await end("01A")).toEqual({ ...none, ended: "completed" });
});

test("a run that the runtime does not know is nobody's", async () => {
  expect(await end("none")).toBeUndefined();
});
