import { AlError, hasCode } from "../base/errors.ts";
import { compareText } from "../core/fingerprint.ts";
import { ipRange, parseIpRange } from "../core/ip-range.ts";
import type { FirewallRule, NamedItem } from "../core/machine.ts";
import { ensureNamed } from "./ensure-named.ts";
import type { VultrCall, VultrClient } from "./vultr-client.ts";
import type { NewVultrRule, VultrFirewallGroup, VultrFirewallRule } from "./vultr-schemas.ts";

const ROUNDS = 4;

/**
 * Makes the group of this name have exactly these rules, and gives its id. What is missing is added
 * before what is too much is removed, so that nobody is locked out between. Idempotent. Where a lost
 * answer or another operator doubled the group, all have these rules, and the oldest is given.
 */
export async function ensureFirewall(
  client: VultrClient,
  { name, rules }: { readonly name: string; readonly rules: readonly FirewallRule[] },
  call: VultrCall,
): Promise<string> {
  const find = async () => {
    const [first, ...more] = await groupsNamed(client, name, call);
    return first && ([first, ...more] as const);
  };
  const groups = await ensureNamed({
    find,
    async create() {
      const made = await client.createFirewallGroup(name, call);
      const [oldest] = (await find()) ?? [made];
      // Another operator was as fast; both take the oldest.
      if (oldest.id !== made.id) await removeEmpty(client, made.id, call);
      return [oldest] as const;
    },
  });
  const wanted = new Map(rules.map((rule) => [wantedKey(rule), newRule(rule)]));
  for (const { id } of groups) await settleRules(client, { id, name, wanted }, call);
  return groups[0].id;
}

async function settleRules(
  client: VultrClient,
  { id, name, wanted }: { id: string; name: string; wanted: ReadonlyMap<string, NewVultrRule> },
  call: VultrCall,
): Promise<void> {
  for (let round = 1; ; round += 1) {
    const found = await client.firewallRules(id, call);
    const keys = new Set(found.map(foundKey));
    const missing = [...wanted].filter(([key]) => !keys.has(key));
    const extra = found.filter((rule) => !wanted.has(foundKey(rule)));
    if (missing.length + extra.length === 0) return;
    if (round > ROUNDS) throw doesNotSettle(name);
    const isComplete = await addRules(client, { id, missing }, call);
    if (isComplete) for (const rule of extra) await client.deleteFirewallRule(id, rule.id, call);
  }
}

/** Whoever uses a group has given it rules first. */
async function removeEmpty(client: VultrClient, id: string, call: VultrCall): Promise<void> {
  const rules = await client.firewallRules(id, call);
  if (rules.length === 0) await client.deleteFirewallGroup(id, call);
}

/**
 * Removes every group of this name; none is fine.
 * @throws AlError `firewall-in-use` (user) while a machine uses one: Vultr would leave it unprotected.
 */
export async function removeFirewall(
  client: VultrClient,
  name: string,
  call: VultrCall,
): Promise<void> {
  const groups = await groupsNamed(client, name, call);
  if (groups.length === 0) return;
  const instances = await client.instances(undefined, call);
  const user = instances.find((one) => groups.some(({ id }) => id === one.firewall_group_id));
  if (user) {
    throw new AlError(`firewall ${name} is used by Vultr instance ${user.id}`, {
      code: "firewall-in-use",
      blame: "user",
      hint: "Remove the machine first; without its firewall it would be open to everybody.",
    });
  }
  for (const { id } of groups) await client.deleteFirewallGroup(id, call);
}

/** Every group of the account by its description. */
export async function listFirewalls(client: VultrClient, call: VultrCall): Promise<NamedItem[]> {
  const groups = await client.firewallGroups(call);
  return groups.map(({ id, description }) => ({ id, name: description }));
}

/** False when an answer was lost: then it has to be looked what is there. */
async function addRules(
  client: VultrClient,
  { id, missing }: { id: string; missing: readonly (readonly [string, NewVultrRule])[] },
  call: VultrCall,
): Promise<boolean> {
  for (const [key, rule] of missing) {
    try {
      await client.createFirewallRule(id, rule, call);
    } catch (thrown) {
      if (hasCode(thrown, "provider-answer-lost")) return false;
      if (!hasCode(thrown, "provider-refused")) throw thrown;
      // A rule that is there already is refused: another operator may have been faster.
      const found = await client.firewallRules(id, call);
      if (!found.some((one) => foundKey(one) === key)) throw thrown;
    }
  }
  return true;
}

/** Oldest first; the same order for everybody who looks. */
async function groupsNamed(
  client: VultrClient,
  name: string,
  call: VultrCall,
): Promise<VultrFirewallGroup[]> {
  return (await client.firewallGroups(call))
    .filter(({ description }) => description === name)
    .sort(
      (a, b) => Date.parse(a.date_created) - Date.parse(b.date_created) || compareText(a.id, b.id),
    );
}

function newRule({ protocol, port, from }: FirewallRule): NewVultrRule {
  const { family, address, bits } = parseIpRange(from);
  return { ip_type: family, protocol, port: String(port), subnet: address, subnet_size: bits };
}

/** A rule as text, in the one form that {@link foundKey} has too: `tcp 22 from ::/0`. */
export function wantedKey({ protocol, port, from }: FirewallRule): string {
  return `${protocol} ${port} from ${ipRange(from)}`;
}

/** Vultr echoes a rule's own range as its source; any other source makes it another rule. */
export function foundKey(rule: VultrFirewallRule): string {
  const range = canonical(`${rule.subnet}/${rule.subnet_size}`);
  const isPlain = rule.source === "" || canonical(rule.source) === range;
  return `${rule.protocol.toLowerCase()} ${rule.port} from ${range}${isPlain ? "" : ` ${rule.source}`}`;
}

/** What is no range, such as a load balancer's id, stays as it is. */
function canonical(text: string): string {
  try {
    return ipRange(text);
  } catch {
    return text;
  }
}

function doesNotSettle(name: string): AlError {
  return new AlError(`the rules of firewall ${name} at Vultr do not become what they should be`, {
    code: "firewall-unsettled",
    blame: "transient",
    hint: "Is somebody else changing this firewall group? Run the same command again.",
  });
}
