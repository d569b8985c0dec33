import { expect, test } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import { createLiveRegion } from "../../../src/cli/render/live-region.ts";
import { createOutput } from "../../../src/cli/render/output.ts";
import { FakeTerminal } from "./fake-terminal.ts";

test("lines are redrawn in place, and shorter ones leave nothing of longer ones", () => {
  const terminal = new FakeTerminal(40, 10);
  const region = createLiveRegion(terminal);
  region.draw(["one  connecting to a host", "two  waiting"]);
  region.draw(["one  ok", "two  connecting"]);
  expect(terminal.screen()).toEqual(["one  ok", "two  connecting"]);
  region.draw(["one  ok"]);
  expect(terminal.screen()).toEqual(["one  ok"]);
});

test("an unchanged frame writes nothing, a changed one writes once", () => {
  const terminal = new FakeTerminal(40, 10);
  const region = createLiveRegion(terminal);
  region.draw(["a", "b"]);
  const { writes } = terminal;
  region.draw(["a", "b"]);
  expect(terminal.writes).toBe(writes);
  region.draw(["a", "c"]);
  expect(terminal.writes).toBe(writes + 1);
});

test("other lines and errors appear whole above it, on both streams of the terminal", () => {
  const terminal = new FakeTerminal(40, 12);
  const output = createOutput(false, { out: terminal, err: terminal });
  output.region?.draw(["one  applying", "two  applying"]);
  output.progress("a warning that is longer than the terminal is wide, so it wraps");
  output.line("a result");
  output.fail(new AlError("it broke", { code: "x", blame: "user", hint: "Mend it." }));
  output.region?.draw(["one  done", "two  done"]);
  expect(terminal.screen()).toEqual([
    "a warning that is longer than the termin",
    "al is wide, so it wraps",
    "a result",
    "error: it broke",
    "  Mend it.",
    "one  done",
    "two  done",
  ]);
});

test("lines are cut to the width, wide characters and control characters included", () => {
  const terminal = new FakeTerminal(24, 10);
  const region = createLiveRegion(terminal);
  region.draw(["x".repeat(60), "\u{1F999}".repeat(30), "a\nb\x1b[2Jc"]);
  const [first, second, third, ...rest] = terminal.screen();
  expect(first).toBe(`${"x".repeat(20)}...`);
  expect(second?.endsWith("...")).toBe(true);
  expect(third).toBe("a b [2Jc");
  expect(rest).toEqual([]);
});

test("more lines than the terminal is high are counted, never scrolled away", () => {
  const terminal = new FakeTerminal(40, 4);
  const region = createLiveRegion(terminal);
  const hosts = ["a", "b", "c", "d", "e"];
  region.draw(hosts);
  expect(terminal.screen()).toEqual(["a", "b", "... and 3 more"]);
  region.draw(hosts.map((host) => `${host}!`));
  expect(terminal.screen()).toEqual(["a!", "b!", "... and 3 more"]);
  region.end(hosts);
  expect(terminal.everything()).toEqual(hosts);
});

test("at its end its last lines stay, or nothing does", () => {
  const terminal = new FakeTerminal(40, 10);
  const region = createLiveRegion(terminal);
  region.draw(["a"]);
  region.end(["a is done"]);
  region.draw(["b"]);
  region.end([]);
  terminal.write("next\n");
  expect(terminal.screen()).toEqual(["a is done", "next"]);
});

test("a terminal made narrower meanwhile has wrapped the lines, and they are still found", () => {
  const terminal = new FakeTerminal(40, 10);
  const region = createLiveRegion(terminal);
  terminal.write("before\n");
  region.draw(["123456789 123456789 123456789", "b"]);
  terminal.resize(20);
  region.draw(["short", "b"]);
  expect(terminal.screen()).toEqual(["before", "short", "b"]);
});

test("without a terminal, and for machines, nothing is redrawn", () => {
  const file = { write: () => true };
  expect(createOutput(false, { out: file, err: file }).region).toBeUndefined();
  const terminal = new FakeTerminal(40, 10);
  expect(createOutput(true, { out: file, err: terminal }).region).toBeUndefined();
});
