import { once } from "node:events";
import { createInterface } from "node:readline";
import { type AlOptions, spawnAl } from "./al.ts";

/** One line of a controller's JSON, with when it was read. */
export interface ControllerLine {
  readonly atMs: number;
  readonly event: Record<string, unknown>;
}

/** A controller in a process of its own. */
export interface ControllerProcess {
  readonly lines: readonly ControllerLine[];
  /** The first line from index `from` on that fulfils `wanted`; fails when it ends or time is up. */
  until(
    what: string,
    wanted: (event: Record<string, unknown>) => boolean,
    options?: { readonly from?: number; readonly timeoutMs?: number },
  ): Promise<ControllerLine>;
  kill(signal: NodeJS.Signals): void;
  /** Ends it in order. */
  stop(): Promise<void>;
}

/** Starts `al controller --json` on a source. */
export function startController(source: string, options: AlOptions): ControllerProcess {
  return watchAl(["controller", "--source", source], options);
}

/** Starts `al dev --json` on a working tree. */
export function startDev(directory: string, options: AlOptions): ControllerProcess {
  return watchAl(["-p", directory, "dev"], options);
}

function watchAl(args: readonly string[], options: AlOptions): ControllerProcess {
  const child = spawnAl(["--json", ...args], options);
  const lines: ControllerLine[] = [];
  const errors: string[] = [];
  let changed = Promise.withResolvers<void>();
  const notify = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push({ atMs: Date.now(), event: JSON.parse(line) as Record<string, unknown> });
    options.onLine?.(line);
    notify();
  });
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  const ended = once(child, "close").finally(notify);
  return {
    lines,
    async until(what, wanted, { from = 0, timeoutMs = 180_000 } = {}) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const found = lines.slice(from).find(({ event }) => wanted(event));
        if (found) return found;
        const isOver = child.exitCode !== null || child.signalCode !== null;
        if (isOver || Date.now() > deadline) throw new Error(notSeen(what, isOver, lines, errors));
        const timer = setTimeout(notify, Math.min(1000, timeoutMs));
        await changed.promise;
        clearTimeout(timer);
      }
    },
    kill: (signal) => void child.kill(signal),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await ended;
    },
  };
}

function notSeen(
  what: string,
  isOver: boolean,
  lines: readonly ControllerLine[],
  errors: readonly string[],
): string {
  const tail = lines.slice(-15).map(({ event }) => JSON.stringify(event).slice(0, 600));
  const how = isOver ? "the controller ended before" : "in time the controller did not get to";
  return [`${how}: ${what}`, ...tail, ...errors.slice(-15)].join("\n  ");
}
