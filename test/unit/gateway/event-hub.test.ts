import { describe, expect, it } from "vitest";
import { createEventHub } from "../../../src/gateway/event-hub.ts";
import { type NewEvent, RuntimeEvent } from "../../../src/gateway/event-schema.ts";
import { SimulatedClock } from "../schedule/simulated-clock.ts";

const { signal } = new AbortController();
const said = (text: string): NewEvent => ({ kind: "signal", run: "01A", signal: "status", text });

describe("a hub", () => {
  const clock = new SimulatedClock();
  const texts = async (listener: ReturnType<ReturnType<typeof createEventHub>["listen"]>) => {
    const found: string[] = [];
    for (;;) {
      const next = listener.next(0, signal);
      await clock.advance(0);
      const event = await next;
      if (event === "none" || event === "lost") return [...found, event];
      const { event: told } = event;
      found.push(told.kind === "signal" ? (told.text ?? "") : "change" in told ? told.change : "");
    }
  };

  it("tells each event once, in order, to all who listen", async () => {
    const hub = createEventHub(clock);
    hub.emit(said("before"));
    const [one, other] = [hub.listen(), hub.listen()];
    hub.emit(said("a"));
    hub.emit(said("b"));
    expect(await texts(one)).toEqual(["a", "b", "none"]);
    one.close();
    hub.emit(said("c"));
    expect(await texts(other)).toEqual(["a", "b", "c", "none"]);
    expect(await texts(one)).toEqual(["none"]);
  });

  it("wakes who waits, and numbers events upwards, also those of the next runtime", async () => {
    const hub = createEventHub(clock);
    const waiting = hub.listen().next(60_000, signal);
    hub.emit(said("a"));
    const first = await waiting;
    await clock.advance(1000);
    const next = createEventHub(clock);
    const later = next.listen().next(60_000, signal);
    next.emit(said("b"));
    const second = await later;
    if (typeof first === "string" || typeof second === "string") throw new TypeError("no event");
    expect(second.id).toBeGreaterThan(first.id);
    expect(RuntimeEvent.parse(first.event).at).toBeLessThan(RuntimeEvent.parse(second.event).at);
  });

  it("goes on after an event that is kept, and says so when some are not", async () => {
    const hub = createEventHub(clock, { kept: 3 });
    const listener = hub.listen();
    for (const text of ["a", "b", "c", "d"]) hub.emit(said(text));
    const ids: number[] = [];
    for (let event = await listener.next(0, signal); typeof event !== "string"; ) {
      ids.push(event.id);
      if (ids.length === 4) break;
      event = await listener.next(0, signal);
    }
    const from = (id: number | undefined) => texts(hub.listen({ after: id }));
    expect(await from(ids[1])).toEqual(["c", "d", "none"]);
    expect(await from(ids[0])).toEqual(["b", "c", "d", "none"]);
    expect(await from(ids[3])).toEqual(["none"]);
    expect(await from(1)).toEqual(["missed", "b", "c", "d", "none"]);
    expect(await from((ids[3] ?? 0) + 1)).toEqual(["missed", "b", "c", "d", "none"]);
  });

  it("lets go of who falls behind, and keeps nothing for them", async () => {
    const hub = createEventHub(clock, { maxWaiting: 2 });
    let lost = 0;
    const slow = hub.listen({ onLost: () => (lost += 1) });
    const quick = hub.listen();
    for (const text of ["a", "b", "c", "d"]) {
      hub.emit(said(text));
      expect(await texts(quick)).toEqual([text, "none"]);
    }
    expect([await texts(slow), lost]).toEqual([["lost"], 1]);
  });
});
