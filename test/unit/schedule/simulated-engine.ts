import type { MadeFrom, Run } from "../../../src/core/run.ts";
import type { TokenUsage } from "../../../src/core/run-limits.ts";
import type { RunExit, RunnerPort } from "../../../src/schedule/ports.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

interface Container {
  readonly run: string;
  readonly secret: string;
  startedAt?: number;
  exit?: RunExit & { kind: "exited" };
}

/** How long a run takes and what it exits with. */
export interface Behaviour {
  readonly ms: number;
  readonly code: number;
}

/** Containers in memory: they outlive the scheduler that started them, as real ones do. */
export class SimulatedEngine implements RunnerPort {
  readonly containers = new Map<string, Container>();
  /** Ids of runs, once for each time a container really began to run. */
  readonly starts: string[] = [];
  readonly secrets: string[] = [];
  /** Whom to tell what a run uses. */
  readonly listeners = new Map<string, (usage: TokenUsage) => void>();
  readonly swept: ReadonlySet<string>[] = [];
  behaviour: (run: Run) => Behaviour = () => ({ ms: 1000, code: 0 });
  /** Thrown by the next calls of that name. */
  failures: { call: "create" | "start" | "look" | "wait" | "kill"; error: Error }[] = [];
  readonly #clock: SimulatedClock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  running(): number {
    return [...this.containers.values()].filter((one) => one.startedAt && !one.exit).length;
  }

  async create({ run, secret }: { run: Run; secret: string }): Promise<void> {
    this.#fail("create");
    const name = nameOf(run);
    if (this.containers.has(name)) return;
    this.containers.set(name, { run: run.id, secret });
    this.secrets.push(secret);
  }

  async madeFrom(): Promise<MadeFrom> {
    return { imageId: "sha256:1", credentialVersions: { "a:b": "1" } };
  }

  /** The secret of a run that has a container. */
  secretOf(run: string): string {
    const found = [...this.containers.values()].find((container) => container.run === run);
    return found?.secret ?? "";
  }

  async start(run: Run): Promise<void> {
    this.#fail("start");
    const container = this.containers.get(nameOf(run));
    if (!container) throw new TypeError(`no container ${nameOf(run)}`);
    if (container.startedAt) return;
    container.startedAt = this.#clock.now();
    this.starts.push(run.id);
    const { ms, code } = this.behaviour(run);
    void this.#clock.sleep(ms).then(() => this.end(nameOf(run), code));
  }

  async look(run: Run) {
    this.#fail("look");
    const container = this.containers.get(nameOf(run));
    if (!container) return "absent" as const;
    return container.startedAt ? ("started" as const) : ("created" as const);
  }

  async wait(
    run: Run,
    { signal, onUsage }: { signal: AbortSignal; onUsage: (usage: TokenUsage) => void },
  ): Promise<RunExit> {
    this.#fail("wait");
    this.listeners.set(run.id, onUsage);
    for (;;) {
      signal.throwIfAborted();
      const container = this.containers.get(nameOf(run));
      if (!container) return { kind: "gone" };
      if (container.exit) return container.exit;
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener("abort", wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener("abort", wake);
      });
    }
  }

  async kill(run: Run): Promise<boolean> {
    this.#fail("kill");
    const container = this.containers.get(nameOf(run));
    if (!container?.startedAt || container.exit) return false;
    this.end(nameOf(run), 137);
    return true;
  }

  async remove(run: Run): Promise<void> {
    if (run.start) this.vanish(run.start.container);
  }

  async sweep(unfinished: ReadonlySet<string>): Promise<void> {
    this.swept.push(unfinished);
    for (const [name, container] of this.containers) {
      if (!unfinished.has(container.run) && !(container.startedAt && !container.exit)) {
        this.vanish(name);
      }
    }
  }

  /** Ends a container, as its own process or somebody outside would. */
  end(name: string, code: number): void {
    const container = this.containers.get(name);
    if (!container?.startedAt || container.exit) return;
    const endedAt = this.#clock.now();
    const { startedAt } = container;
    container.exit = { kind: "exited", code, outOfMemory: false, startedAt, endedAt };
    this.#wake();
  }

  /** Makes a container disappear. */
  vanish(name: string): void {
    this.containers.delete(name);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #fail(call: string): void {
    const index = this.failures.findIndex((failure) => failure.call === call);
    const [failure] = index < 0 ? [] : this.failures.splice(index, 1);
    if (failure) throw failure.error;
  }
}

function nameOf(run: Run): string {
  return run.start?.container ?? "";
}
