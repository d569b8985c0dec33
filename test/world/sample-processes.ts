import type { LabHost } from "../lab/lab-host.ts";

/** Lists every process on a host with its environment, over and over, until told to stop. */
export function sampleProcesses(host: LabHost): { stop(): Promise<string> } {
  const script = `rm -f /tmp/stop-sampling; while [ ! -e /tmp/stop-sampling ]; do ps axeww; done`;
  const sampling = host.exec(["sh", "-c", script]);
  return {
    async stop() {
      await host.exec(["touch", "/tmp/stop-sampling"]);
      return (await sampling).stdout;
    },
  };
}
