import { toAlError } from "../base/errors.ts";
import type { Hold } from "../core/hold.ts";
import type { EventHub } from "../gateway/event-hub.ts";
import type { RuntimePort, SchedulePort } from "../gateway/ports.ts";
import type { DeliveriesPort } from "../gateway/webhook-ports.ts";
import type { Isolation } from "./isolation.ts";

type Emit = EventHub["emit"];

/** The same scheduler, which tells of calls, and of what operators hold back. */
export function tellingSchedule<S extends SchedulePort>(schedule: S, emit: Emit): S {
  return {
    ...schedule,
    async call(caller, request) {
      const facts = { kind: "call", run: caller.id, agent: caller.agent, target: request.target };
      try {
        const called = await schedule.call(caller, request);
        emit({ ...facts, kind: "call", called: called.id });
        return called;
      } catch (thrown) {
        emit({ ...facts, kind: "call", refused: toAlError(thrown).message });
        throw thrown;
      }
    },
    async pause(target) {
      const hold = await schedule.pause(target);
      emit({ kind: "state", change: "paused", ...standing(target, hold) });
      return hold;
    },
    async resume(target) {
      const resumed = await schedule.resume(target);
      if (resumed) emit({ kind: "state", change: "resumed", ...target });
      return resumed;
    },
    async disable(target) {
      const hold = await schedule.disable(target);
      emit({ kind: "state", change: "disabled", ...standing(target, hold) });
      return hold;
    },
    async enable(target) {
      const enabled = await schedule.enable(target);
      if (enabled) emit({ kind: "state", change: "enabled", ...target });
      return enabled;
    },
    async reload() {
      await schedule.reload();
      emit({ kind: "state", change: "reloaded" });
    },
  };
}

/** Who held it: the first one, whose hold stays. */
function standing({ agent }: { readonly agent?: string }, { by }: Hold) {
  return { ...(agent !== undefined && { agent }), ...(by !== undefined && { by }) };
}

/** The same deliveries, which tell what became of each. */
export function tellingDeliveries(deliveries: DeliveriesPort, emit: Emit): DeliveriesPort {
  return {
    async accept(delivery) {
      const outcome = await deliveries.accept(delivery);
      const { id: receipt, type, sources, deliveryId } = delivery.receipt;
      emit({
        ...{ kind: "webhook", receipt, type, deliveryId, outcome: outcome.kind },
        sources: [...sources],
        runs: outcome.kind === "accepted" ? [...outcome.runs] : [],
        refused: outcome.kind === "duplicate" ? [] : [...outcome.refused],
      });
      return outcome;
    },
  };
}

/** The same runtime, which tells when it is to stop. */
export function tellingRuntime(runtime: RuntimePort, emit: Emit): RuntimePort {
  return {
    ...runtime,
    async stop(options) {
      await runtime.stop(options);
      emit({ kind: "state", change: "stopping", ...options });
    },
  };
}

/** Tells whether runs can start, when that has changed. */
export function tellingReadiness(emit: Emit): (found: Isolation) => void {
  let last: boolean | undefined;
  return (found) => {
    if (last === found.ready) return;
    last = found.ready;
    if (found.ready) emit({ kind: "state", change: "ready" });
    else emit({ kind: "state", change: "not-ready", reason: found.reason });
  };
}
