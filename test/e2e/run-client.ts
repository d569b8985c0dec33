import { createInterface } from "node:readline";
import { expect } from "vitest";
import { LABELS } from "../../src/core/names.ts";
import { LogEvent, TriggerAnswer, type TriggerRequest } from "../../src/gateway/control-schema.ts";
import type { RuntimeHost } from "./runtime-host.ts";

/** The control API of one runtime, as tests use it. */
export interface RunClient {
  get(path: string): Promise<unknown>;
  /** Triggers an agent; the run's id. */
  trigger(agent: string, body?: TriggerRequest): Promise<string>;
  /** Every log event of a run until its end. */
  follow(agent: string, run: string): Promise<LogEvent[]>;
  /** Waits until nothing of a run is left on the engine. */
  untilGone(run: string): Promise<void>;
}

/** Speaks to a runtime on a lab host. */
export function runClient({ control, docker }: RuntimeHost, runtime: string): RunClient {
  return {
    get: (path) => control.call({ runtime, method: "GET", path }),
    async trigger(agent, body) {
      const path = `/control/trigger/${agent}`;
      const answer = await control.call({ runtime, method: "POST", path, body });
      return TriggerAnswer.parse(answer).runId;
    },
    async follow(agent, run) {
      const path = `/api/logs/agents/${agent}/${run}?follow=1`;
      const input = await control.stream({ runtime, method: "GET", path });
      const events: LogEvent[] = [];
      for await (const line of createInterface({ input })) {
        events.push(LogEvent.parse(JSON.parse(line)));
      }
      return events;
    },
    async untilGone(run) {
      const labels = { [LABELS.run]: run };
      const left = async () => [
        ...(await docker.listContainers(labels)),
        ...(await docker.listVolumes(labels)),
      ];
      await expect.poll(left, { timeout: 10_000 }).toEqual([]);
    },
  };
}
