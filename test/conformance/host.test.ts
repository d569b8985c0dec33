import { beforeAll, describe } from "vitest";
import { describeEngine, type EngineName, onEngine } from "./engines.ts";
import type { HostBench } from "./host-bench.ts";
import { localHost } from "./host-bench-local.ts";
import { memoryBench } from "./host-bench-memory.ts";
import { realBench } from "./host-bench-real.ts";
import { sshHost } from "./host-bench-ssh.ts";
import { hostConformance } from "./host-suite.ts";

/** Runs the suite on one engine and remembers what the engine is, for the closing lines. */
function conformance(name: EngineName, make: () => Promise<HostBench>): void {
  describe(onEngine(name), () => {
    let bench: HostBench | undefined;
    beforeAll(async () => {
      bench = await make();
      const session = await bench.connect();
      const { facts } = await session.observe(bench.project);
      await session.close();
      const way = { "in memory": "simulated", local: "local" }[name as string] ?? "ssh";
      await describeEngine(name, `docker ${facts.dockerVersion} (${facts.imageStore}, ${way})`);
    });
    hostConformance(async () => bench ?? make());
  });
}

conformance("in memory", memoryBench);
conformance("local", () => realBench(localHost));
conformance("bookworm", () => realBench(() => sshHost("bookworm")));
conformance("trixie", () => realBench(() => sshHost("trixie")));
conformance("testing", () => realBench(() => sshHost("testing")));
conformance("testing-containerd", () => realBench(() => sshHost("testing-containerd")));
