import { createInterface } from "node:readline";
import { expect } from "vitest";
import { LABELS } from "../../src/core/names.ts";
import { LogEvent, RunAnswer, TriggerAnswer } from "../../src/gateway/control-schema.ts";
import type { RuntimeHost } from "./runtime-host.ts";

/** What a test asks of the live runtime of a {@link RuntimeHost}. */
export class RunClient {
  /** The live runtime's container; to be set when another one is deployed. */
  runtime: string;
  readonly #rig: RuntimeHost;

  constructor(rig: RuntimeHost, runtime: string) {
    this.#rig = rig;
    this.runtime = runtime;
  }

  /** Starts an agent by hand; the id of its run. */
  async trigger(agent = "dev"): Promise<string> {
    const path = `/control/trigger/${agent}`;
    const answer = await this.#rig.control.call({ ...this.#live, method: "POST", path });
    return TriggerAnswer.parse(answer).runId;
  }

  /** The latest runs, newest first. */
  async runs(): Promise<RunAnswer[]> {
    const path = "/control/runs";
    const answer = await this.#rig.control.call({ ...this.#live, method: "GET", path });
    return (answer as { runs: unknown[] }).runs.map((run) => RunAnswer.parse(run));
  }

  /** Every log event of a run until its end. */
  async follow(run: string, options: { agent?: string; query?: string } = {}): Promise<LogEvent[]> {
    const { agent = "dev", query = "" } = options;
    const path = `/api/logs/agents/${agent}/${run}?follow=1${query}`;
    const stream = await this.#rig.control.stream({ ...this.#live, method: "GET", path });
    const events: LogEvent[] = [];
    for await (const line of createInterface({ input: stream })) {
      events.push(LogEvent.parse(JSON.parse(line)));
    }
    return events;
  }

  /** A run's end, once it has come. */
  async ended(run: string, agent = "dev"): Promise<RunAnswer> {
    const last = (await this.follow(run, { agent })).at(-1);
    if (last?.kind === "end") return last.run;
    throw new TypeError(`the log of run ${run} ended before it did`);
  }

  /** `docker inspect` of a run's container, as soon as it runs. */
  async untilContainer(run: string) {
    const name = `al-e2e-run-${run.toLowerCase()}`;
    const running = async () => (await this.#rig.docker.inspectContainer(name))?.state;
    await expect.poll(running, { timeout: 20_000, interval: 50 }).toBe("running");
    return this.#rig.host.exec(["docker", "inspect", name]);
  }

  /** Waits until nothing of a run is left on the host. */
  async untilGone(run: string): Promise<void> {
    const labels = { [LABELS.run]: run };
    const left = async () => [
      ...(await this.#rig.docker.listContainers(labels)),
      ...(await this.#rig.docker.listVolumes(labels)),
    ];
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  }

  get #live() {
    return { runtime: this.runtime };
  }
}

/** The lines of a run's log. */
export function textOf(events: readonly LogEvent[]): string {
  return events.flatMap((event) => (event.kind === "line" ? [event.text] : [])).join("\n");
}
