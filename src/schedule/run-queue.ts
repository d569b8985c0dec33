import { monotonicFactory } from "ulid";
import { AlError, hasCode, toAlError } from "../base/errors.ts";
import type { Run } from "../core/run.ts";
import type { Trigger } from "../core/trigger.ts";
import type { DeliveryOutcome } from "../core/webhook-outcome.ts";
import { acceptManual, acceptTick, cancelHopeless, checkRoom } from "./accept.ts";
import { acceptCall, type CallRequest } from "./accept-call.ts";
import type { AcceptDeliveriesPorts, CheckRoom, Delivery } from "./accept-deliveries.ts";
import { nextStartable, queuedRuns } from "./capacity.ts";
import { createDeliveryQueue, type DeliveryQueue } from "./delivery-queue.ts";
import type { LiveRelease } from "./ports.ts";
import { createRunLife, type RunLife, type RunLifePorts } from "./run-life.ts";
import { createSerial } from "./serial.ts";

/** What a queue is wired to. */
export interface RunQueuePorts extends Omit<RunLifePorts, "newId"> {
  /** Deliveries, stored with their runs: in the same database as `store`. */
  readonly receipts: AcceptDeliveriesPorts["receipts"];
  /** True when runs may start; a change to true is told by `poke`. */
  ready(): boolean;
}

/** Accepts triggers, starts what has room, and carries runs to their end. Accepting and starting happen one at a time. */
export class RunQueue {
  readonly #ports: RunQueuePorts;
  readonly #life: RunLife;
  readonly #newId: () => string;
  readonly #serial = createSerial();
  readonly #deliveries: DeliveryQueue;
  readonly #abort = new AbortController();
  readonly #carried = new Set<Promise<void>>();
  #adopted = false;
  /** True while a look at what may start is waiting for its turn. */
  #isPoked = false;
  /** Day on which an agent's used up budget was told of. */
  readonly #told = new Map<string, string>();

  constructor(ports: RunQueuePorts) {
    const nextUlid = monotonicFactory();
    this.#ports = ports;
    this.#newId = () => nextUlid(ports.clock.now());
    this.#life = createRunLife({ ...ports, newId: this.#newId });
    this.#deliveries = createDeliveryQueue({
      ...{ receipts: ports.receipts, clock: ports.clock, newId: this.#newId },
      ...{ exclusive: this.#serial, roomCheck: () => this.#roomCheck() },
    });
  }

  /** Takes over what an earlier process left; resolves before those runs end. */
  adoptAll(): Promise<void> {
    return this.#serial(async () => {
      const unfinished = await this.#ports.store.unfinished();
      for (const run of unfinished) if (run.state !== "queued") this.#track(this.#adopt(run));
      // Before anything new is made: what is not of these runs is a leftover.
      const ids = new Set(unfinished.map(({ id }) => id));
      await this.#ports.runner
        .sweep(ids, this.#abort.signal)
        .catch((thrown) => this.#report(thrown));
      this.#adopted = true;
    });
  }

  /** Starts what may start now. */
  poke(): void {
    if (this.#abort.signal.aborted || this.#isPoked) return;
    this.#isPoked = true;
    const pumped = this.#serial(() => {
      this.#isPoked = false;
      return this.#pump();
    });
    pumped.catch((thrown) => this.#report(thrown));
  }

  /** Accepts a trigger given by hand; durable when resolved. */
  accept(agent: string, trigger: Trigger): Promise<Run> {
    return this.#serial(async () => {
      const release = await this.#live();
      const run = await acceptManual(
        this.#ports,
        { agent, trigger },
        { release, id: this.#newId() },
      );
      this.poke();
      return run;
    });
  }

  /** Accepts a run's call of another agent; durable when resolved. Refused until all is adopted. */
  async call(caller: Run, request: CallRequest): Promise<Run> {
    if (!this.#adopted) throw notServing("this runtime is starting");
    return this.#serial(async () => {
      const release = await this.#live();
      const run = await acceptCall(this.#ports, { caller, ...request, id: this.#newId() }, release);
      this.poke();
      return run;
    });
  }

  /** Accepts a delivery; durable when resolved. */
  async deliver(delivery: Delivery): Promise<DeliveryOutcome> {
    const outcome = await this.#deliveries.accept(delivery);
    if (outcome.kind === "accepted") this.poke();
    return outcome;
  }

  /** Accepts a schedule's tick, or skips it; never rejects. */
  onTick(agent: string, tick: number): Promise<void> {
    const accepted = this.#serial(async () => {
      const release = await this.#live();
      const id = this.#newId();
      const tell = (reason: string, day: string) => this.#tellOnce(agent, day, reason);
      if (await acceptTick(this.#ports, { agent, tick, id, tell }, release)) this.poke();
    });
    return accepted.catch((thrown) => this.#report(thrown));
  }

  /** Ends a run; true only when it was running or queued, and is not any more. `why` is recorded. */
  async kill(runId: string, why?: string): Promise<boolean> {
    const { store, runner, clock } = this.#ports;
    const found = await this.#serial(async () => {
      const run = await store.get(runId);
      if (!run || run.state === "finished") return false;
      if (run.state !== "queued") {
        const detail = why === undefined ? {} : { detail: why };
        await store.killing(runId, { reason: "killed", ...detail });
        return run;
      }
      const detail = why ?? "on request";
      const end = { outcome: "cancelled", endedAt: clock.now(), detail } as const;
      await store.finished(runId, end);
      return true;
    });
    return typeof found === "boolean" ? found : runner.kill(found, this.#abort.signal);
  }

  /** True when no run that is still being made needs another release or credentials than the live ones. */
  isSettled(): Promise<boolean> {
    return this.#serial(async () => {
      const live = await this.#ports.releases.current();
      const unfinished = await this.#ports.store.unfinished();
      return unfinished.every(
        ({ state, start }) =>
          state !== "starting" ||
          (start?.release === live?.release && start?.credentials === live?.credentials),
      );
    });
  }

  /** Starts nothing more and lets go of all runs, which go on without us. */
  async stop(): Promise<void> {
    this.#abort.abort(new AlError("the scheduler stops", { code: "aborted", blame: "transient" }));
    await this.#serial(async () => undefined);
    await Promise.all(this.#carried);
  }

  async #pump(): Promise<void> {
    while (!this.#abort.signal.aborted && this.#ports.ready()) {
      const release = await this.#ports.releases.current();
      if (!release) return;
      await cancelHopeless(this.#ports, release);
      const run = nextStartable(await this.#ports.store.unfinished(), release);
      if (!run) return;
      const { end } = await this.#life.begin(run, release, this.#abort.signal);
      this.#track(end);
    }
  }

  /** A schedule may tick every second: that its budget is used up is said once a day. */
  #tellOnce(agent: string, day: string, reason: string): void {
    if (this.#told.get(agent) === day) return;
    this.#told.set(agent, day);
    this.#ports.logger.warn({ agent, reason }, "scheduled runs are skipped");
  }

  /** What was never made starts from the beginning, as soon as runs may start. */
  async #adopt(run: Run): Promise<void> {
    const reached = await this.#life.adopt(run, this.#abort.signal);
    if (reached === "never-made") await this.#ports.store.requeue(run.id);
  }

  async #live(): Promise<LiveRelease> {
    const stopped = this.#abort.signal.aborted;
    const release = stopped ? undefined : await this.#ports.releases.current();
    if (release) return release;
    throw notServing("this runtime takes no triggers any more");
  }

  async #roomCheck(): Promise<CheckRoom> {
    const release = await this.#live();
    const unfinished = await this.#ports.store.unfinished();
    return (agent, ahead) => {
      const waiting = queuedRuns(unfinished, agent) + ahead;
      return checkRoom(this.#ports, { agent, waiting }, release);
    };
  }

  #track(work: Promise<unknown>): void {
    const tracked = work
      .then(
        () => undefined,
        (thrown) => this.#report(thrown),
      )
      .finally(() => {
        this.#carried.delete(tracked);
        this.poke();
      });
    this.#carried.add(tracked);
  }

  #report(thrown: unknown): void {
    if (this.#abort.signal.aborted || hasCode(thrown, "not-serving")) return;
    this.#ports.logger.error({ err: toAlError(thrown) }, "scheduler step failed");
  }
}

function notServing(message: string): AlError {
  return new AlError(message, { code: "not-serving", blame: "transient" });
}
