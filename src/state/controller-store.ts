import { createHmac, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { AlError } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import type { Approval } from "../core/approval.ts";
import type { KnownHost } from "../core/known-host.ts";
import type { MachineRecord } from "../core/machine.ts";
import { damageIn, isDamage } from "./database-check.ts";
import { hostMemory } from "./host-memory.ts";
import { machineAccount } from "./machine-account.ts";
import { machineRecords } from "./machine-records.ts";
import { copyInMemory } from "./memory-copy.ts";
import { openDatabase } from "./sqlite.ts";

type Grant = Extract<Approval, { kind: "grant" }>;

/**
 * The controller's durable memory for one project: what the operator approved, which no commit
 * can change, and a secret of its own.
 */
export interface ControllerStore {
  /** The approved fingerprint. */
  hostKey(host: string): string | undefined;
  /** The approved fingerprint, and after it that of the next key while there is one. */
  believedKeys(host: string): readonly string[];
  /** Believes this key beside the approved one, until one is approved; nothing where none is. */
  expectKey(host: string, fingerprint: string): void;
  isGranted(grant: Grant): boolean;
  /** The key proposed for a new host's credential versions: stable, and random per store. */
  proposedKey(host: string): Secret;
  /** Records the operator's yes; the newest host key replaces an older one. Idempotent. */
  approve(approval: Approval, atMs: number): void;
  /** Hosts that hold something of ours, sorted by name. */
  knownHosts(): readonly KnownHost[];
  /** Replaces what is known of a host; writes only what changed. */
  remember(host: KnownHost): void;
  forget(host: string): void;
  hasPruneConsent(revision: string): boolean;
  /** Records that exactly this revision may remove what it does. Idempotent. */
  consentToPrune(revision: string, atMs: number): void;
  /** What was ordered for a host, and what came of it. */
  machineRecord(host: string): MachineRecord | undefined;
  /** All of them, sorted by host. */
  machineRecords(): readonly MachineRecord[];
  /** Replaces the host's record; written for good when it returns. */
  recordMachine(record: MachineRecord): void;
  forgetMachine(host: string): void;
  /** The account that machines were last ordered in. */
  machineAccount(): string | undefined;
  recordAccount(account: string): void;
  close(): void;
}

const MIGRATIONS = [
  `CREATE TABLE host_key (
     host TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, approved_at INTEGER NOT NULL) STRICT;
   CREATE TABLE credential_grant (
     credential TEXT NOT NULL, agent TEXT NOT NULL, host TEXT NOT NULL, remote TEXT NOT NULL,
     granted_at INTEGER NOT NULL, PRIMARY KEY (credential, agent, host, remote)) STRICT;
   CREATE TABLE own_secret (id INTEGER PRIMARY KEY CHECK (id = 1), value BLOB NOT NULL) STRICT;`,
  `CREATE TABLE known_host (host TEXT PRIMARY KEY, seen TEXT NOT NULL) STRICT;
   CREATE TABLE prune_consent (revision TEXT PRIMARY KEY, given_at INTEGER NOT NULL) STRICT;`,
  "CREATE TABLE machine (host TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;",
  "ALTER TABLE host_key ADD COLUMN next_fingerprint TEXT;",
  "CREATE TABLE machine_account (id INTEGER PRIMARY KEY CHECK (id = 1), account TEXT NOT NULL) STRICT;",
];

/**
 * Opens (or makes, mode 0700) the store in `directory`, one directory per project.
 * @throws AlError `store-damaged` (terminal): what was approved must not be forgotten in silence, so a
 * damaged store is neither mended nor replaced.
 */
export function openControllerStore(directory: string): ControllerStore {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, "store.db");
  const database = orDamaged(path, () => openSound(path));
  chmodSync(path, 0o600);
  return storeOn(database);
}

/**
 * Reads the store in `directory` as it is now, and leaves it byte for byte as it is, absent included.
 * Where there is none, nothing is approved, and the proposed keys are this reader's own: random, so
 * that what a plan shows of a credential says nothing about its value.
 * @throws AlError `store-damaged` (terminal).
 */
export function readControllerStore(directory: string): ControllerStore {
  const path = join(directory, "store.db");
  const store = storeOn(orDamaged(path, () => copyInMemory(path, MIGRATIONS)));
  const refuse = () => {
    throw new AlError("nothing can be approved, remembered or forgotten by what only reads", {
      code: "store-read-only",
      blame: "bug",
    });
  };
  return {
    ...store,
    approve: refuse,
    expectKey: refuse,
    remember: refuse,
    forget: refuse,
    consentToPrune: refuse,
    recordMachine: refuse,
    forgetMachine: refuse,
    recordAccount: refuse,
  };
}

/** Others may have it open and write. */
function openSound(path: string): DatabaseSync {
  const database = openDatabase(path, MIGRATIONS);
  try {
    const damage = damageIn(database);
    if (damage === undefined) return database;
    throw damaged(path, damage);
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

function orDamaged(path: string, open: () => DatabaseSync): DatabaseSync {
  if (statSync(path, { throwIfNoEntry: false })?.size === 0) throw damaged(path, "it is empty");
  try {
    return open();
  } catch (thrown) {
    const { cause = thrown } = thrown as Error;
    throw isDamage(cause) ? damaged(path, (cause as Error).message) : thrown;
  }
}

function damaged(path: string, damage: string): AlError {
  return new AlError(`${path} is damaged: ${damage}`, {
    code: "store-damaged",
    blame: "terminal",
    hint: `It holds your approvals, so al does not go on without it. Put a copy of it back, or begin anew: mv ${path} ${path}.damaged (and ${path}-wal, if it is there), then approve again what the next plan asks for.`,
  });
}

function storeOn(database: DatabaseSync): ControllerStore {
  database
    .prepare("INSERT OR IGNORE INTO own_secret (id, value) VALUES (1, ?)")
    .run(randomBytes(32));
  const secret = database.prepare("SELECT value FROM own_secret").get() as { value: Uint8Array };
  return {
    hostKey(host) {
      const row = database.prepare("SELECT fingerprint FROM host_key WHERE host = ?").get(host);
      return row?.fingerprint as string | undefined;
    },
    believedKeys(host) {
      const { fingerprint, next_fingerprint: next = null } =
        database.prepare("SELECT * FROM host_key WHERE host = ?").get(host) ?? {};
      return [fingerprint, next].filter((key) => typeof key === "string");
    },
    expectKey(host, fingerprint) {
      database
        .prepare("UPDATE host_key SET next_fingerprint = ? WHERE host = ?")
        .run(fingerprint, host);
    },
    isGranted: ({ credential, agent, host, remote }) =>
      database
        .prepare(
          "SELECT 1 FROM credential_grant WHERE credential = ? AND agent = ? AND host = ? AND remote = ?",
        )
        .get(credential, agent, host, remote) !== undefined,
    proposedKey: (host) =>
      new Secret(createHmac("sha256", secret.value).update(`host-key\0${host}`).digest("hex")),
    approve(approval, atMs) {
      if (approval.kind === "host-key") {
        database
          .prepare(
            "INSERT OR REPLACE INTO host_key (host, fingerprint, approved_at) VALUES (?,?,?)",
          )
          .run(approval.host, approval.fingerprint, atMs);
        return;
      }
      const { credential, agent, host, remote } = approval;
      database
        .prepare("INSERT OR IGNORE INTO credential_grant VALUES (?, ?, ?, ?, ?)")
        .run(credential, agent, host, remote, atMs);
    },
    ...hostMemory(database),
    ...machineRecords(database),
    ...machineAccount(database),
    close: () => database.close(),
  };
}
