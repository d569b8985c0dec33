import type { Clock } from "../../src/base/clock.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Approval } from "../../src/core/approval.ts";
import { compareText, credentialVersion, sha256 } from "../../src/core/fingerprint.ts";
import type { KnownHost } from "../../src/core/known-host.ts";
import type { ApprovalsPort, CredentialsPort, FleetMemoryPort } from "../../src/reconcile/ports.ts";

/** An ApprovalsPort in memory. */
export interface MemoryApprovals extends ApprovalsPort {
  approve(approval: Approval): void;
  /** From now on every pairing is granted. */
  grantAll(): void;
}

/** Approvals in memory; nothing is approved yet. */
export function memoryApprovals(): MemoryApprovals {
  const keys = new Map<string, string>();
  const grants = new Set<string>();
  let all = false;
  return {
    hostKey: (host) => keys.get(host),
    isGranted: (grant) => all || grants.has(JSON.stringify(grant)),
    proposedKey: (host) => new Secret(sha256(`key of ${host}`)),
    approve(approval) {
      if (approval.kind === "host-key") keys.set(approval.host, approval.fingerprint);
      else grants.add(JSON.stringify(approval));
    },
    grantAll() {
      all = true;
    },
  };
}

/** A CredentialsPort over values by `type/instance/field`, which tests may change at any time. */
export function memoryCredentials(values: ReadonlyMap<string, Secret>): CredentialsPort {
  return {
    async holdings(needs, keyHex) {
      const paths = needs.flatMap(({ type, instance, fields }) =>
        fields.map((field) => `${type}/${instance}/${field}`),
      );
      const fields = [...new Set(paths)].sort(compareText).map((path) => {
        return { path, value: values.get(path) };
      });
      const held = fields.flatMap(({ path, value }) =>
        value ? [{ path, hash: credentialVersion(keyHex, value.revealBytes()) }] : [],
      );
      return { held, absent: fields.filter(({ value }) => !value).map(({ path }) => path) };
    },
  };
}

/** A clock on which waiting takes no time: every sleep moves it forward at once. */
export function hastyClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      now += ms;
    },
  };
}

/** A FleetMemoryPort in memory, which counts what is written to it. */
export interface MemoryOfFleet extends FleetMemoryPort {
  readonly hosts: Map<string, KnownHost>;
  readonly consents: Set<string>;
  writes: number;
}

/** Nothing is known yet. */
export function memoryOfFleet(): MemoryOfFleet {
  const hosts = new Map<string, KnownHost>();
  const consents = new Set<string>();
  const memory: MemoryOfFleet = {
    hosts,
    consents,
    writes: 0,
    knownHosts: () => [...hosts.values()],
    remember(known) {
      memory.writes++;
      hosts.set(known.address.host, known);
    },
    forget(host) {
      memory.writes++;
      hosts.delete(host);
    },
    hasPruneConsent: (revision) => consents.has(revision),
  };
  return memory;
}
