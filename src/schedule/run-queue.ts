import { decodeTime, isValid, monotonicFactory } from "ulid";
import { AlError, hasCode, toAlError } from "../base/errors.ts";
import type { Run } from "../core/run.ts";
import type { Trigger } from "../core/trigger.ts";
import type { DeliveryOutcome } from "../core/webhook-outcome.ts";
import { acceptManual, createRoomCheck, type Terms } from "./accept.ts";
import { acceptCall, type CallRequest } from "./accept-call.ts";
import type { AcceptDeliveriesPorts, Delivery } from "./accept-deliveries.ts";
import { acceptTick, type DueTick, type TickVerdict } from "./accept-tick.ts";
import { cancelHopeless } from "./cancel-hopeless.ts";
import { nextStartable, situationOf } from "./capacity.ts";
import { createDeliveryQueue, type DeliveryQueue } from "./delivery-queue.ts";
import { createEndRuns, type EndRuns } from "./end-runs.ts";
import { standingHolds } from "./holds.ts";
import type { TickStore } from "./ports.ts";
import { type QueuedRun, viewQueue } from "./queue-view.ts";
import { createRunLife, type RunLife, type RunLifePorts } from "./run-life.ts";
import { createSerial } from "./serial.ts";

/** What a queue is wired to. */
export interface RunQueuePorts extends Omit<RunLifePorts, "newId"> {
  /** Deliveries, stored with their runs: in the same database as `store`. */
  readonly receipts: AcceptDeliveriesPorts["receipts"];
  readonly ticks: TickStore;
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
  /** By run. */
  readonly #carried = new Map<string, Promise<void>>();
  /** Ends runs. */
  readonly end: EndRuns;
  #adopted = false;
  /** Ids sort by time of acceptance, also when the clock was set back since the latest one was made; ms. */
  #idsFrom = 0;
  /** True while a look at what may start is waiting for its turn. */
  #isPoked = false;
  /** Day on which an agent's used up budget was told of. */
  readonly #told = new Map<string, string>();

  constructor(ports: RunQueuePorts) {
    const nextUlid = monotonicFactory();
    this.#ports = ports;
    this.#newId = () => nextUlid(Math.max(ports.clock.now(), this.#idsFrom));
    this.#life = createRunLife({ ...ports, newId: this.#newId });
    this.#deliveries = createDeliveryQueue({
      ...{ receipts: ports.receipts, clock: ports.clock, newId: this.#newId },
      exclusive: this.#serial,
      roomCheck: async () => createRoomCheck(ports, await this.#terms()),
    });
    const { signal } = this.#abort;
    const carried = (run: string) => this.#carried.get(run);
    this.end = createEndRuns(ports, { exclusive: this.#serial, signal, carried });
  }

  /** Takes over what an earlier process left; resolves before those runs end. */
  adoptAll(): Promise<void> {
    return this.#serial(async () => {
      const { store } = this.#ports;
      const [latest] = await store.list({ limit: 1 });
      if (latest && isValid(latest.id)) this.#idsFrom = decodeTime(latest.id) + 1;
      const active = await store.active();
      for (const run of active) this.#track(run, this.#life.adopt(run, this.#abort.signal));
      // Before anything new is made: what is not of these runs is a leftover.
      const ids = new Set(active.map(({ id }) => id));
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
      const request = { agent, trigger, id: this.#newId() };
      const run = await acceptManual(this.#ports, request, await this.#terms());
      this.poke();
      return run;
    });
  }

  /** Accepts a run's call of another agent; durable when resolved. Refused until all is adopted. */
  async call(caller: Run, request: CallRequest): Promise<Run> {
    if (!this.#adopted) throw notServing("this runtime is starting");
    return this.#serial(async () => {
      const call = { caller, ...request, id: this.#newId() };
      const run = await acceptCall(this.#ports, call, await this.#terms());
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

  /** Deals with a schedule's tick. @throws AlError `not-serving` (transient). */
  onDue(due: DueTick): Promise<TickVerdict> {
    return this.#serial(async () => {
      const tell = (reason: string, day: string) => this.#tellOnce(due.agent, day, reason);
      const terms = { ...(await this.#terms()), id: this.#newId(), tell };
      const verdict = await acceptTick(this.#ports, due, terms);
      this.poke();
      return verdict;
    });
  }

  /** Runs work that changes what may start, while nothing is accepted or begun. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#serial(work);
  }

  /** All runs that wait, oldest first. */
  view(): Promise<readonly QueuedRun[]> {
    return this.#serial(async () => viewQueue(this.#ports, await this.#terms()));
  }

  /** True when no run that is still being made needs another release or credentials than the live ones. */
  isSettled(): Promise<boolean> {
    return this.#serial(async () => {
      const live = await this.#ports.releases.current();
      const active = await this.#ports.store.active();
      return active.every(
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
    await Promise.all(this.#carried.values());
  }

  async #pump(): Promise<void> {
    while (!this.#abort.signal.aborted && this.#ports.ready()) {
      const release = await this.#ports.releases.current();
      if (!release) return;
      const { store } = this.#ports;
      const terms = { release, standing: await standingHolds(this.#ports.holds) };
      const situation = await situationOf(store, terms);
      const heads = await store.heads();
      if (await cancelHopeless(this.#ports, situation, heads)) continue;
      const run = await nextStartable(store, situation, heads);
      if (!run) return;
      const { end } = await this.#life.begin(run, release, this.#abort.signal);
      this.#track(run, end);
    }
  }

  /** A schedule may tick every second: that its budget is used up is said once a day. */
  #tellOnce(agent: string, day: string, reason: string): void {
    if (this.#told.get(agent) === day) return;
    this.#told.set(agent, day);
    this.#ports.logger.warn({ agent, reason }, "scheduled runs are skipped");
  }

  async #terms(): Promise<Terms> {
    const stopped = this.#abort.signal.aborted;
    const release = stopped ? undefined : await this.#ports.releases.current();
    if (release) return { release, standing: await standingHolds(this.#ports.holds) };
    throw notServing("this runtime takes no triggers any more");
  }

  #track({ id }: Run, work: Promise<unknown>): void {
    const tracked = work
      .then(
        () => undefined,
        (thrown) => this.#report(thrown),
      )
      .finally(() => {
        this.#carried.delete(id);
        this.poke();
      });
    this.#carried.set(id, tracked);
  }

  #report(thrown: unknown): void {
    if (this.#abort.signal.aborted || hasCode(thrown, "not-serving")) return;
    this.#ports.logger.error({ err: toAlError(thrown) }, "scheduler step failed");
  }
}

function notServing(message: string): AlError {
  return new AlError(message, { code: "not-serving", blame: "transient" });
}
