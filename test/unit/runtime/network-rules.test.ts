import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { networkIn } from "../../../src/core/subnet.ts";
import { networkRulesScript } from "../../../src/runtime/network-rules.ts";

const network = networkIn("demo", "10.213.9.0/24");
const script = networkRulesScript("demo", network);

describe("the network rules", () => {
  it("are a valid POSIX shell script", () => {
    const { status, stderr } = spawnSync("sh", ["-n", "-c", script], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
  });

  it("refuse the host before anything else, but for the container API", () => {
    const input = /:AL-IN-\w+ - \[0:0\]\n([\s\S]*?)COMMIT/.exec(script)?.[1] ?? "";
    const rules = input.trim().split("\n");
    expect(rules.map((rule) => rule.replace(/-A AL-IN-\w+ /, ""))).toEqual([
      "-d 10.213.9.1/32 -p tcp -m tcp --dport 7070 -j ACCEPT",
      "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-p tcp -j REJECT --reject-with tcp-reset",
      "-j REJECT --reject-with icmp-port-unreachable",
    ]);
  });

  it("refuse metadata services and neighbours", () => {
    const forward = /:AL-FWD-\w+ - \[0:0\]\n([\s\S]*?)COMMIT/.exec(script)?.[1] ?? "";
    expect(forward).toContain("-d 169.254.0.0/16 -p tcp -j REJECT");
    expect(forward).toContain(`-o ${network.bridge} -p tcp -j REJECT`);
  });

  it("keep projects apart: another project has other chains and another tag", () => {
    const other = networkRulesScript("other", networkIn("other", "10.213.8.0/24"));
    const chains = script.match(/AL-(IN|FWD)6?-\w{10}/g) ?? [];
    expect(chains.length).toBeGreaterThan(0);
    for (const chain of chains) expect(other).not.toContain(chain);
    expect(script).toContain("action-llama:demo");
  });
});
