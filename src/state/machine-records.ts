import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { MachineRecord } from "../core/machine.ts";

const Stored = z.object({
  host: z.string(),
  attempts: z.array(
    z.object({ nonce: z.string(), hostKey: z.string(), user: z.string().optional() }),
  ),
  machine: z
    .object({ id: z.string(), nonce: z.string(), ownKey: z.string().optional() })
    .nullable()
    .transform((machine) => machine ?? undefined),
});

/** The machines we ordered for hosts; satisfies the port of `provisioning`. */
export function machineRecords(database: DatabaseSync) {
  const read = (row: Record<string, unknown>): MachineRecord =>
    Stored.parse(JSON.parse(String(row.record)));
  return {
    machineRecord(host: string): MachineRecord | undefined {
      const row = database.prepare("SELECT record FROM machine WHERE host = ?").get(host);
      return row && read(row);
    },
    machineRecords(): readonly MachineRecord[] {
      return database.prepare("SELECT record FROM machine ORDER BY host").all().map(read);
    },
    recordMachine({ host, attempts, machine }: MachineRecord): void {
      database
        .prepare("INSERT OR REPLACE INTO machine (host, record) VALUES (?, ?)")
        .run(host, JSON.stringify({ host, attempts, machine: machine ?? null }));
    },
    forgetMachine(host: string): void {
      database.prepare("DELETE FROM machine WHERE host = ?").run(host);
    },
  };
}
