import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { expect } from "vitest";
import { LABELS } from "../../src/core/names.ts";
import {
  LogEvent,
  RunAnswer,
  TriggerAnswer,
  type TriggerRequest,
} from "../../src/gateway/control-schema.ts";
import type { RuntimeHost } from "./runtime-host.ts";

/** The control API of one runtime, as tests use it. */
export interface RunClient {
  get(path: string): Promise<unknown>;
  /** Triggers an agent; the run's id. */
  trigger(agent: string, body?: TriggerRequest): Promise<string>;
  /** The latest runs, newest first. */
  runs(): Promise<RunAnswer[]>;
  /** Every log event of a run until its end; `query` begins with `&`. */
  follow(agent: string, run: string, query?: string): Promise<LogEvent[]>;
  /** A run's end, once it has come. */
  ended(agent: string, run: string): Promise<RunAnswer>;
  /** `docker inspect` of a run's container, as soon as it runs. */
  untilContainer(run: string): ReturnType<RuntimeHost["host"]["exec"]>;
  /** Waits until nothing of a run is left on the engine. */
  untilGone(run: string): Promise<void>;
}

/** Speaks to a runtime on a lab host. */
export function runClient(rig: RuntimeHost, runtime: string): RunClient {
  const get = (path: string) => rig.control.call({ runtime, method: "GET", path });
  const client: RunClient = {
    get,
    async trigger(agent, body) {
      const path = `/control/trigger/${agent}`;
      const answer = await rig.control.call({ runtime, method: "POST", path, body });
      return TriggerAnswer.parse(answer).runId;
    },
    async runs() {
      const { runs } = (await get("/control/runs")) as { runs: unknown[] };
      return runs.map((run) => RunAnswer.parse(run));
    },
    async follow(agent, run, query = "") {
      const path = `/api/logs/agents/${agent}/${run}?follow=1${query}`;
      const { body } = await rig.control.fetch(runtime, `http://runtime${path}`);
      const input = Readable.fromWeb(body as ReadableStream);
      const events: LogEvent[] = [];
      for await (const line of createInterface({ input })) {
        events.push(LogEvent.parse(JSON.parse(line)));
      }
      return events;
    },
    async ended(agent, run) {
      const last = (await client.follow(agent, run)).at(-1);
      if (last?.kind === "end") return last.run;
      throw new TypeError(`the log of run ${run} ended before it did`);
    },
    async untilContainer(run) {
      const name = containerOf(run);
      const running = async () => (await rig.docker.inspectContainer(name))?.state;
      await expect.poll(running, { timeout: 20_000, interval: 50 }).toBe("running");
      return rig.host.exec(["docker", "inspect", name]);
    },
    async untilGone(run) {
      const labels = { [LABELS.run]: run };
      const left = async () => [
        ...(await rig.docker.listContainers(labels)),
        ...(await rig.docker.listVolumes(labels)),
      ];
      await expect.poll(left, { timeout: 10_000 }).toEqual([]);
    },
  };
  return client;
}

/** The name of a run's container. */
export function containerOf(run: string): string {
  return `al-e2e-run-${run.toLowerCase()}`;
}

/** The lines of a run's log. */
export function textOf(events: readonly LogEvent[]): string {
  return events.flatMap((event) => (event.kind === "line" ? [event.text] : [])).join("\n");
}
