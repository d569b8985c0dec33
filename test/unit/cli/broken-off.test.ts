import type { RequestListener, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readLog } from "../../../src/cli/commands/read-log.ts";
import { showLog } from "../../../src/cli/commands/runtime-logs.ts";
import { ask, type ControlClient } from "../../../src/cli/control-client.ts";
import { RunsAnswer } from "../../../src/gateway/control-schema.ts";
import { type ServedRuntime, serveRuntime } from "./served-runtime.ts";

const { signal } = new AbortController();
const HANGS: RequestListener = () => {};
const HANGS_UP: RequestListener = ({ socket }) => socket.destroy();
const BEGINS: RequestListener = (_request, response) => void response.write('{"runs":');
const NO_ANSWER = {
  ...{ code: "no-answer", blame: "transient", message: "host one: its runtime does not answer" },
  hint: "Look at the runtime's own log on the host: docker logs al-p-1",
};

let served: ServedRuntime | undefined;
let uncaught: unknown[];
const note = (thrown: unknown) => void uncaught.push(thrown);
beforeEach(() => {
  uncaught = [];
  process.prependListener("uncaughtException", note);
});
afterEach(async () => {
  await served?.close();
  process.off("uncaughtException", note);
});

const instances = (api: ControlClient) => api.control.instances.$get();

test.each([
  { what: "hangs", answer: HANGS },
  { what: "hangs in the middle of an answer", answer: BEGINS },
  { what: "goes away", answer: HANGS_UP },
])("a runtime that $what is said not to answer, whoever asks", async ({ answer }) => {
  const { live, control } = await serving(answer);
  const limit = { signal, timeoutMs: 200 };
  await expect(ask(live, RunsAnswer, instances, limit)).rejects.toMatchObject(NO_ANSWER);
  const request = { runtime: "al-p-1", method: "GET", path: "/control/status" } as const;
  await expect(control.call({ ...request, ...limit })).rejects.toMatchObject(NO_ANSWER);
});

test("who leaves while a runtime hangs is told of no answer that failed to come", async () => {
  const { live } = await serving(HANGS);
  const leaving = AbortSignal.timeout(100);
  const asked = ask(live, RunsAnswer, instances, { signal: leaving, timeoutMs: 5000 });
  await expect(asked).rejects.not.toMatchObject({ code: "no-answer" });
});

const SAID = { level: "info", time: 1, message: "begins", fields: {}, cursor: 1 };
const LINE = { kind: "line", run: "01A", ts: "1", stream: "stdout", text: "one", cursor: 1 };
const say = (response: ServerResponse, line: unknown) =>
  response.write(`${JSON.stringify(line)}\n`);
const cut = (response: ServerResponse) => void setTimeout(() => response.destroy(), 50);

test.each([
  { how: "cut", end: cut },
  { how: "ended by the runtime", end: (response: ServerResponse) => void response.end() },
])("a runtime's log that is followed and $how says so, and is no bug", async ({ end }) => {
  const { live } = await serving(({ url }, response) => {
    if (!url?.includes("follow")) return void response.end();
    say(response, SAID);
    end(response);
  });
  const shown: string[] = [];
  const show = ({ message }: { message: string }) => void shown.push(message);
  const options = { follow: true, dev: false, selection: { hosts: [], labels: {} } };
  await expect(showLog(live, options, { show, signal })).rejects.toMatchObject({
    ...{ code: "log-cut-off", blame: "transient" },
    message: "host one: the runtime's log broke off",
    hint: "Look again: al logs --scheduler",
  });
  expect(shown).toEqual(["begins"]);
});

async function readAll(follow: boolean): Promise<unknown[]> {
  const events: unknown[] = [];
  const part = { agent: "dev", run: "01A", follow };
  for await (const event of readLog(live(), part, signal)) events.push(event);
  return events;
}

test.each([true, false])("a run's log that is cut says so, followed: %s", async (follow) => {
  await serving((_request, response) => {
    say(response, LINE);
    cut(response);
  });
  await expect(readAll(follow)).rejects.toMatchObject({
    ...{ code: "log-cut-off", blame: "transient" },
    hint: "Look again: al logs dev 01A --follow",
  });
});

test("a line of another version fails once, and the connection's end after it nobody", async () => {
  await serving((_request, response) => {
    say(response, { ...LINE, stream: "elsewhere" });
  });
  await expect(readAll(true)).rejects.toThrow(/stream/);
  await served?.close();
  served = undefined;
  await delay(50);
  expect(uncaught).toEqual([]);
});

async function serving(answer: RequestListener): Promise<ServedRuntime> {
  served = await serveRuntime(answer);
  return served;
}

function live(): ServedRuntime["live"] {
  if (!served) throw new Error("no runtime is served");
  return served.live;
}
