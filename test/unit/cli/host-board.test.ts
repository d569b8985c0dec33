import { expect, test } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import { createHostBoard } from "../../../src/cli/render/host-board.ts";
import type { Action } from "../../../src/core/plan.ts";

const image = { name: "base", reference: "al-acme/base:0123", specHash: "0123" };
const action: Action = { phase: "prepare", step: { kind: "deliver-image", image }, reason: "r" };
const down = new AlError("host b: no answer\nwithin 15 s", {
  code: "unreachable",
  blame: "transient",
});

test("each host has a line with its state, its seconds and its current step", () => {
  const board = createHostBoard(["a", "b", "host-3"]);
  board.begin("a", 1000);
  board.begin("b", 2000);
  expect(board.lines(2500)).toEqual([
    "a       connecting      1 s",
    "b       connecting      0 s",
    "host-3  waiting",
  ]);
  board.event({ kind: "action-started", host: "a", action });
  board.result({ kind: "unreachable", host: "b", error: down }, 17_000);
  expect(board.lines(60_000)).toEqual([
    "a       applying       59 s  deliver image base",
    "b       unreachable    15 s  no answer",
    "host-3  waiting",
  ]);
  const text = "al-acme/base:0123: #5 RUN make";
  board.event({ kind: "action-progress", host: "a", text });
  expect(board.lines(60_000)[0]).toBe(
    "a       applying       59 s  deliver image base: #5 RUN make",
  );
  board.event({ kind: "rolling-back", host: "a", reason: "not ready" });
  expect(board.lines(60_000)[0]).toBe("a       rolling back   59 s  not ready");
  const plan = { host: "a", revision: "0123456789abcdef", actions: [action], notes: [] };
  board.result({ kind: "applied", host: "a", plan }, 61_000);
  expect(board.lines(99_000)[0]).toBe(
    "a       confirmed      60 s  revision 0123456789ab, 1 action",
  );
});

test("hosts keep their places, unless there are too many: then those at work come first", () => {
  const board = createHostBoard(["a", "b", "c"]);
  board.begin("a", 0);
  board.result({ kind: "unreachable", host: "a", error: down }, 0);
  board.begin("c", 0);
  const hosts = (height?: number) => board.lines(0, height).map((line) => line[0]);
  expect(hosts()).toEqual(["a", "b", "c"]);
  expect(hosts(2)).toEqual(["c", "b", "a"]);
});
