import { stringify } from "smol-toml";
import { compareText } from "../core/fingerprint.ts";
import type { LockedHost } from "./fleet-file.ts";

const HEADER = `# Public facts about the machines of fleet.toml, written by \`al provision\`. It approves nothing:
# which key a host must prove is in the controller's own store.
`;

/** fleet.lock.toml with these hosts, sorted by name: equal facts give equal bytes. */
export function lockText(hosts: Readonly<Record<string, LockedHost>>): string {
  const entries = Object.entries(hosts).sort(([a], [b]) => compareText(a, b));
  const tables = entries.map(([name, { instanceId, address, port, user, hostKey }]) => {
    const facts = Object.entries({ instanceId, address, port, user, hostKey });
    return [name, Object.fromEntries(facts.filter(([, value]) => value !== undefined))] as const;
  });
  const body = tables.map(([name, facts]) => stringify({ hosts: { [name]: facts } }));
  return [HEADER, ...body.map((text) => `\n${text.trim()}\n`)].join("");
}
