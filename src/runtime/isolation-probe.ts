import { z } from "zod";
import { AlError } from "../base/errors.ts";
import { CONTAINER_API_PORT, LABELS } from "../core/names.ts";
import { runOneShot } from "../docker/one-shot.ts";
import type { IsolationTools } from "./apply-rules.ts";
import { CONFINED, gatewayUrl } from "./run-container.ts";

const PROBE = ["node", "/app/dist/agents/probe.js"];
const METADATA_ADDRESS = "169.254.169.254";

const ProbeOutput = z.object({
  results: z.array(
    z.object({
      kind: z.string(),
      url: z.string().optional(),
      address: z.string().optional(),
      port: z.number().optional(),
      ok: z.boolean(),
      outcome: z.string(),
    }),
  ),
});

/**
 * Looks from inside a container like an agent's: the container API answers; the metadata service, the
 * host's sshd and another container (this runtime, `runtimeName`) refuse at once.
 * @throws AlError `probe-failed` (transient), naming what was not as it should be.
 */
export async function probeIsolation(
  { docker, place, baseImage }: IsolationTools,
  runtimeName: string,
  signal: AbortSignal,
): Promise<void> {
  const { network, project, host } = place;
  const self = await docker.inspectContainer(runtimeName, { signal });
  const neighbour = self?.addresses[network.name];
  if (!neighbour) throw failed(`${runtimeName} has no address in ${network.name}`);
  const expectations = [
    { kind: "http-ok", url: `${gatewayUrl(network)}/health` },
    { kind: "refused", address: METADATA_ADDRESS, port: 80 },
    { kind: "refused", address: network.gateway, port: 22 },
    { kind: "refused", address: neighbour, port: CONTAINER_API_PORT },
  ];
  const { code, output } = await runOneShot(
    docker,
    {
      ...CONFINED,
      name: `al-${project}-probe`,
      image: baseImage,
      labels: { [LABELS.project]: project, [LABELS.host]: host, [LABELS.role]: "probe" },
      entrypoint: PROBE,
      argv: [JSON.stringify(expectations)],
      network: network.name,
    },
    signal,
  );
  if (code !== 0) throw failed(complaints(output));
}

function complaints(output: string): string {
  try {
    const { results } = ProbeOutput.parse(JSON.parse(output));
    return results
      .filter(({ ok }) => !ok)
      .map(({ kind, url, address, port, outcome }) =>
        kind === "http-ok" ? `${url}: ${outcome}` : `${address}:${port} is not refused: ${outcome}`,
      )
      .join("; ");
  } catch {
    return output.trim().slice(-500) || "no output";
  }
}

function failed(detail: string): AlError {
  return new AlError(`the isolation probe failed: ${detail}`, {
    code: "probe-failed",
    blame: "transient",
  });
}
