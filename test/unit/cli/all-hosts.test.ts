import { expect, test, vi } from "vitest";
import { main } from "../../../src/cli/main.ts";

test.each(["status", "stat", "queue", "locks", "runs", "logs", "pause", "stop"])(
  "al %s is asked for all hosts by --all, and not for one of them at the same time",
  async (name) => {
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const nowhere = ["-p", "/nowhere/at/all"];
    expect(await main([name, "--all", ...nowhere])).toBe(1);
    const lines = () => said.mock.calls.map(([text]) => String(text)).join("");
    expect(lines()).toContain("/nowhere/at/all");
    expect(lines()).not.toContain("unknown option");
    expect(await main([name, "--all", "--host", "one", ...nowhere])).toBe(1);
    expect(lines()).toContain("'--all' cannot be used with option '--host <name>'");
  },
);
