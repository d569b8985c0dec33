import type { TokenUsage } from "../core/run-limits.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { LogLines } from "./log-lines.ts";
import { openRunLog, type RunLogWriter, type StoredLine } from "./run-log-file.ts";
import { usageIn } from "./usage-line.ts";

/** What to copy where. */
export interface LogCopy {
  readonly docker: DockerClient;
  readonly container: string;
  readonly path: string;
  readonly signal: AbortSignal;
  /** Told what the output says the run has used so far. */
  readonly onUsage: (usage: TokenUsage) => void;
}

/** The engine closes the output right after the end; it has been seen not to. */
const CLOSE_WAIT_MS = 5000;

/**
 * Copies a container's output to a log file until the container has ended. It goes on where an
 * earlier copy stopped, so that the file has every line once.
 */
export async function copyLog(copy: LogCopy): Promise<void> {
  const { docker, container, path, signal } = copy;
  const log = await openRunLog(path);
  const stop = new AbortController();
  try {
    const following = AbortSignal.any([signal, stop.signal]);
    const ended = docker.waitContainer(container, { signal: following });
    const copied = copyLines({ ...copy, signal: following }, log);
    // Whichever fails first is told; the other one ends with `stop`.
    copied.catch(() => undefined);
    await Promise.race([ended, copied.then(() => ended)]);
    const timer = setTimeout(() => stop.abort(), CLOSE_WAIT_MS);
    await copied
      .catch((thrown) => {
        if (!stop.signal.aborted) throw thrown;
      })
      .finally(() => clearTimeout(timer));
  } finally {
    stop.abort();
    await log.close();
  }
}

async function copyLines(copy: LogCopy, log: RunLogWriter): Promise<void> {
  const { docker, container, signal } = copy;
  const isNew = notStored(log.last);
  const since = log.last && Math.floor(Date.parse(log.last.ts)) / 1000;
  const lines = new LogLines();
  const options = { follow: true, timestamps: true, signal, ...(since !== undefined && { since }) };
  for await (const chunk of docker.containerLogs(container, options)) {
    await store(copy, log, lines.push(chunk).filter(isNew));
  }
  await store(copy, log, lines.end().filter(isNew));
}

/** Usage counts also when the log is full. */
async function store(
  { onUsage }: LogCopy,
  log: RunLogWriter,
  lines: readonly StoredLine[],
): Promise<void> {
  await log.append(lines);
  for (const line of lines) {
    const usage = usageIn(line);
    if (usage) onUsage(usage);
  }
}

/** False for lines up to the last stored one. Times have equal length: text order is time order. */
function notStored(last: RunLogWriter["last"]): (line: StoredLine) => boolean {
  let same = 0;
  return ({ ts }) => {
    if (!last || ts > last.ts) return true;
    if (ts < last.ts) return false;
    same += 1;
    return same > last.count;
  };
}
