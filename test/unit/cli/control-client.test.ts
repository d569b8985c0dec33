import { beforeEach, describe, expect, it } from "vitest";
import { ask, askStream, type ControlClient } from "../../../src/cli/control-client.ts";
import { controlApi } from "../../../src/gateway/control-api.ts";
import { RunAnswer, RunsAnswer, TriggerAnswer } from "../../../src/gateway/control-schema.ts";
import { createPorts, line } from "../gateway/harness.ts";

const { signal } = new AbortController();
let ports: ReturnType<typeof createPorts>;
let paths: string[];
let answer: (url: string, init?: RequestInit) => Promise<Response>;
beforeEach(() => {
  ports = createPorts();
  paths = [];
  const app = controlApi(ports);
  answer = async (url, init) => app.request(url, init);
});

function live() {
  const fetch = (_runtime: string, url: string, init?: RequestInit) => {
    paths.push(url.replace("http://runtime", ""));
    return answer(url, init);
  };
  const control = { fetch } as never;
  return { connection: { control, docker: { host: "one" } } as never, runtime: "al-p-runtime-1" };
}

const runOf = (run: string) => (api: ControlClient) =>
  api.control.runs[":run"].$get({ param: { run } });

describe("a request", () => {
  it("gets what the API answers, with its query and its body", async () => {
    const query = { agent: "dev", limit: "5" };
    const list = (api: ControlClient) => api.control.runs.$get({ query });
    expect((await ask(live(), RunsAnswer, list, { signal })).runs).toHaveLength(1);
    const json = { by: "ann@laptop" };
    const start = (api: ControlClient) =>
      api.control.trigger[":agent"].$post({ param: { agent: "dev" }, json });
    expect(await ask(live(), TriggerAnswer, start, { signal })).toEqual({ runId: "01B" });
    expect(paths).toEqual(["/control/runs?agent=dev&limit=5", "/control/trigger/dev"]);
    expect(ports.state.triggers).toEqual([{ kind: "manual", by: "ann@laptop" }]);
  });

  it("does not type-check with the schema of another answer", async () => {
    const status = (api: ControlClient) => api.control.status.$get({ query: {} });
    // @ts-expect-error: an answer to `GET /control/status` is no `RunAnswer`
    const asked = ask(live(), RunAnswer, status, { signal });
    await expect(asked).rejects.toThrow(/invalid/i);
  });

  it("cannot be turned into another one by a name", async () => {
    const asked = ask(live(), RunAnswer, runOf("a/b?c#d"), { signal });
    await expect(asked).rejects.toMatchObject({ code: "unknown-run" });
    expect(paths).toEqual(["/control/runs/a%2Fb%3Fc%23d"]);
    await expect(async () => ask(live(), RunAnswer, runOf(".."), { signal })).rejects.toMatchObject(
      { code: "bad-name" },
    );
    expect(paths).toHaveLength(1);
  });

  it("fails with the API's own words, code and hint, and the host's name", async () => {
    await expect(ask(live(), RunAnswer, runOf("none"), { signal })).rejects.toMatchObject({
      ...{ message: "host one: there is no run none", code: "unknown-run", blame: "user" },
      hint: "List the runs: al runs",
    });
  });

  it("fails where the answer is no error of the API, and where it is another version's", async () => {
    answer = async () => new Response("<html>", { status: 502 });
    await expect(ask(live(), RunAnswer, runOf("01A"), { signal })).rejects.toMatchObject({
      ...{ message: "host one: status 502", code: "control-502", blame: "transient" },
    });
    answer = async () => Response.json({ id: 1 });
    await expect(ask(live(), RunAnswer, runOf("01A"), { signal })).rejects.toThrow(/agent/);
  });
});

it("a stream comes as it is written, and fails like any request", async () => {
  ports.log.push(line(1), line(2));
  const log = (agent: string) => (api: ControlClient) =>
    api.api.logs.agents[":agent"].$get({ param: { agent }, query: { lines: "1" } });
  const chunks: Buffer[] = [];
  for await (const chunk of await askStream(live(), log("dev"), { signal })) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toContain('"text":"line 2"');
  await expect(askStream(live(), log("idle"), { signal })).rejects.toMatchObject({
    code: "no-runs",
  });
});
