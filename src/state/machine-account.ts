import type { DatabaseSync } from "node:sqlite";

/** The account that machines were ordered in; satisfies its part of the port of `provisioning`. */
export function machineAccount(database: DatabaseSync) {
  return {
    machineAccount(): string | undefined {
      const row = database.prepare("SELECT account FROM machine_account").get();
      return row?.account as string | undefined;
    },
    recordAccount(account: string): void {
      database
        .prepare("INSERT OR REPLACE INTO machine_account (id, account) VALUES (1, ?)")
        .run(account);
    },
  };
}
