import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { KnownHost } from "../core/known-host.ts";
import { ITEM_KINDS } from "../core/observed.ts";
import { CurrentFile } from "../core/released.ts";

const Seen = z.object({
  address: z.object({
    host: z.string(),
    provider: z.enum(["ssh", "vultr", "local"]),
    address: z.string(),
    port: z.int(),
    user: z.string(),
    labels: z.record(z.string(), z.string()),
  }),
  inventory: z.object({
    items: z.array(
      z.object({
        kind: z.enum(ITEM_KINDS),
        id: z.string(),
      }),
    ),
    confirmed: CurrentFile.optional(),
  }),
  agents: z.array(z.string()),
});

/** Hosts as they were last seen, and the operator's word on what may be removed. */
export function hostMemory(database: DatabaseSync) {
  return {
    knownHosts(): readonly KnownHost[] {
      const rows = database.prepare("SELECT seen FROM known_host ORDER BY host").all();
      return rows.map(({ seen }) => Seen.parse(JSON.parse(String(seen))));
    },
    remember(known: KnownHost): void {
      const { address, inventory, agents } = known;
      const seen = JSON.stringify(Seen.parse({ address, inventory, agents }));
      const { host } = address;
      const row = database.prepare("SELECT seen FROM known_host WHERE host = ?").get(host);
      // A pass that finds nothing new costs no write.
      if (row?.seen === seen) return;
      database
        .prepare("INSERT OR REPLACE INTO known_host (host, seen) VALUES (?, ?)")
        .run(host, seen);
    },
    forget(host: string): void {
      database.prepare("DELETE FROM known_host WHERE host = ?").run(host);
    },
    hasPruneConsent: (revision: string): boolean =>
      database.prepare("SELECT 1 FROM prune_consent WHERE revision = ?").get(revision) !==
      undefined,
    consentToPrune(revision: string, atMs: number): void {
      database.prepare("INSERT OR IGNORE INTO prune_consent VALUES (?, ?)").run(revision, atMs);
    },
  };
}
