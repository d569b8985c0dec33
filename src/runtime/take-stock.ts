import { existsSync } from "node:fs";
import { decodeTime, isValid } from "ulid";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { LABELS } from "../core/names.ts";
import type { Run } from "../core/run.ts";
import type { ContainerSummary } from "../docker/container-calls.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import type { RunStore } from "../schedule/ports.ts";
import type { RunUpkeep } from "../schedule/run-upkeep.ts";
import { logPath } from "./run-log-file.ts";

/** What to compare with what. */
export interface StockTaking {
  readonly docker: Pick<DockerClient, "listContainers" | "inspectContainer" | "removeContainer">;
  readonly store: Pick<RunStore, "get" | "unfinished" | "finished">;
  readonly upkeep: Pick<RunUpkeep, "restore">;
  readonly project: string;
  readonly projectDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Its own timeout is not known any more; it keeps that itself. */
const TIMEOUT_SECONDS = 24 * 3600;
const DETAIL = "it had begun, and its record was lost";

/**
 * Makes records fit the world where some were lost, as with a damaged or an older database. A run that
 * is under way without a record gets one, so that it is carried to its end like any other; what is
 * recorded as waiting and has begun is not run again. Each is told as an error. To be called before any
 * run is started or swept.
 */
export async function takeStock(stock: StockTaking): Promise<void> {
  const { docker, store, project, signal } = stock;
  const labels = { [LABELS.project]: project, [LABELS.role]: "run" };
  const containers = await docker.listContainers(labels, { signal });
  for (const container of containers) await recordFound(stock, container);
  const present = new Set(containers.map(({ labels: { [LABELS.run]: run } }) => run));
  for (const run of await store.unfinished()) {
    if (run.state !== "running" && !present.has(run.id)) await endBegun(stock, run);
  }
}

async function recordFound(stock: StockTaking, container: ContainerSummary): Promise<void> {
  const { docker, store, upkeep, logger, signal } = stock;
  const { [LABELS.run]: id = "", [LABELS.agent]: agent = "" } = container.labels;
  if (!isValid(id) || agent === "") return;
  const record = await store.get(id);
  if (record && record.state !== "queued") return;
  if (container.state === "created") {
    // It holds another secret than the one that its start would store.
    if (record) await docker.removeContainer(container.id, { signal });
    return;
  }
  const state = await docker.inspectContainer(container.id, { signal });
  if (!state) return;
  const start = {
    revision: container.labels[LABELS.revision] ?? "",
    release: container.labels[LABELS.specHash] ?? "",
    ...{ image: container.image, credentials: "", container: container.name },
    timeoutSeconds: TIMEOUT_SECONDS,
  };
  const startedAt = Date.parse(state.startedAt);
  await upkeep.restore({ id, agent, createdAt: decodeTime(id), startedAt, start });
  logger.error({ run: id, agent, container: container.name }, "run without a record taken over");
}

/** A log is begun once the container has started, and removed only after the run's end is stored. */
async function endBegun(
  { store, projectDir, clock, logger }: StockTaking,
  run: Run,
): Promise<void> {
  if (!existsSync(logPath(projectDir, run))) return;
  const { id, agent } = run;
  await store.finished(id, { outcome: "interrupted", endedAt: clock.now(), detail: DETAIL });
  logger.error({ run: id, agent, state: run.state }, "run that had begun is not started again");
}
