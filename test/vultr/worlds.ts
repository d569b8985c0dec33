import { Secret } from "../../src/base/secret.ts";
import type { ProviderTrouble, ProviderWorld } from "../conformance/provider-world.ts";
import type { VultrFault } from "./faults.ts";
import { LeapingClock } from "./leaping-clock.ts";
import { vultrRig } from "./rig.ts";
import { startVultrServer } from "./server.ts";
import type { StandInOptions, VultrStandIn } from "./stand-in.ts";

type Choice = ProviderWorld["choice"];

/** Vultr's adapter and a stand-in in the same process. */
export function inProcessWorld(choice: Choice, options: StandInOptions = {}): ProviderWorld {
  const { provider, clock, standIn } = vultrRig(options);
  const withWrongKey = provider({ key: new Secret("wrong") });
  return { provider: provider(), withWrongKey, clock, choice, ...account(standIn, choice) };
}

/** The same over real connections to a server. */
export async function overHttpWorld(choice: Choice): Promise<ProviderWorld> {
  const clock = new LeapingClock();
  const { standIn, baseUrl, close } = await startVultrServer({ clock, perPage: 2 });
  const { provider } = vultrRig({}, clock);
  const way = { baseUrl, fetch, timeoutMs: 5_000 };
  return {
    ...{ provider: provider(way), withWrongKey: provider({ ...way, key: new Secret("wrong") }) },
    ...{ clock, choice, close, ...account(standIn, choice) },
  };
}

/** What Vultr does then, as its documents and its users say. */
const FAULTS: Readonly<Record<Exclude<ProviderTrouble, "full" | "sold-out">, VultrFault["does"]>> =
  {
    busy: { kind: "answer", status: 429, error: "rate limit exceeded", retryAfter: 3 },
    broken: { kind: "answer", status: 500, error: "Server is currently locked" },
    cut: { kind: "lose-answer" },
    misreported: { kind: "fail-after" },
    garbled: { kind: "answer", status: 200, text: "<html>maintenance</html>" },
  };

function account(standIn: VultrStandIn, { region, plan }: Choice) {
  const { switches } = standIn.account;
  return {
    rulesOf: (id: string) =>
      (standIn.account.groups.get(id)?.rules ?? [])
        .map((rule) => `${rule.protocol} ${rule.port} ${rule.subnet}/${rule.subnet_size}`)
        .sort(),
    putSshKey: (name: string) => standIn.account.putSshKey({ name, ssh_key: "ssh-ed25519 AAAA" }),
    machinesMade: () => standIn.account.everMade.length,
    trouble: ((kind, { to, times = 1 } = {}) => {
      if (kind === "full") switches.maxInstances = 0;
      else if (kind === "sold-out") switches.soldOut.add(`${region} ${plan}`);
      else {
        const only = to === "order" ? { method: "POST", path: "/instances" } : {};
        standIn.inject({ ...only, times, does: FAULTS[kind] });
      }
    }) satisfies ProviderWorld["trouble"],
  };
}
