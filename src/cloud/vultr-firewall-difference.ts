import type { FirewallDifference, FirewallRule } from "../core/machine.ts";
import type { VultrCall, VultrClient } from "./vultr-client.ts";
import { foundKey, wantedKey } from "./vultr-firewall.ts";

/** How the groups of this name, of which there should be one, differ from what is wanted. Changes nothing. */
export async function firewallDifference(
  client: VultrClient,
  { name, rules }: { readonly name: string; readonly rules: readonly FirewallRule[] },
  call: VultrCall,
): Promise<FirewallDifference> {
  const groups = (await client.firewallGroups(call)).filter((one) => one.description === name);
  const ids = groups.map(({ id }) => id);
  const wanted = new Set(rules.map(wantedKey));
  const found: Set<string>[] = [];
  for (const id of ids) {
    found.push(new Set((await client.firewallRules(id, call)).map(foundKey)));
  }
  const isEverywhere = (rule: FirewallRule) => found.every((keys) => keys.has(wantedKey(rule)));
  const extra = new Set(found.flatMap((keys) => [...keys].filter((key) => !wanted.has(key))));
  return {
    ids,
    missing: ids.length === 0 ? rules : rules.filter((rule) => !isEverywhere(rule)),
    extra: [...extra].sort(),
  };
}
