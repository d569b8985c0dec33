import type { Json } from "../base/canonical-json.ts";
import { AlError } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import type { MachineOs } from "../core/machine.ts";
import type { CloudConfig, ProvisionAssets } from "./provision-assets.ts";

const MB = 1024 * 1024;
/** Machines with less memory than this get swap. */
const SMALL_MB = 4096;
const USER = /^[a-z_][a-z0-9_-]{0,31}$/;
/** One line: a type, base64 and perhaps a comment. */
const PUBLIC_KEY = /^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}( [\x20-\x7e]*)?$/;

/** What differs from machine to machine at its first boot. */
export interface FirstBoot {
  readonly os: MachineOs;
  readonly memoryMb: number;
  /** Not root; will be in the group docker. */
  readonly user: string;
  /** Who may log in as that user: `ssh-ed25519 AAAA...`. */
  readonly authorizedKeys: readonly string[];
  /** What the machine proves itself with at first contact; OpenSSH's formats, ed25519. */
  readonly hostKey: { readonly privateKey: Secret; readonly publicKey: string };
}

/**
 * The user data that makes a bare machine a host: a `#cloud-config` document in JSON.
 * @throws AlError `bad-first-boot` (user) for a name or key that is none.
 */
export function renderUserData(assets: ProvisionAssets, boot: FirstBoot): Secret {
  checkBoot(boot);
  const { os, user, authorizedKeys, hostKey, memoryMb } = boot;
  const config = {
    ...merge(assets.common, assets.byOs[os]),
    users: [
      {
        ...{ name: user, gecos: "Action Llama Fleet", shell: "/bin/bash", lock_passwd: true },
        ...{ groups: ["docker"], ssh_authorized_keys: authorizedKeys },
      },
    ],
    ssh_keys: {
      ed25519_private: hostKey.privateKey.reveal(),
      ed25519_public: hostKey.publicKey,
    },
    write_files: assets.files.map(({ path, content }) => ({
      ...{ path, content, owner: "root:root" },
      permissions: path.includes("/sbin/") ? "0755" : "0644",
    })),
    ...(memoryMb < SMALL_MB ? { swap: swapFor(memoryMb) } : {}),
  };
  return new Secret(`#cloud-config\n${JSON.stringify(config)}\n`);
}

/** As much swap as memory, at least 1 GiB and at most 2; in bytes. */
function swapFor(memoryMb: number) {
  return { filename: "/swapfile", size: Math.min(2048, Math.max(1024, memoryMb)) * MB };
}

/** Lists of the second are added to those of the first; everything else replaces. */
function merge(common: CloudConfig, more: CloudConfig): CloudConfig {
  const merged: Record<string, Json> = { ...common };
  for (const [key, value] of Object.entries(more)) {
    const before = merged[key];
    merged[key] = isList(before) && isList(value) ? [...before, ...value] : value;
  }
  return merged;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function checkBoot({ user, authorizedKeys, hostKey }: FirstBoot): void {
  if (!USER.test(user) || user === "root") {
    throw badBoot(`\`${user}\` cannot be the user of a new machine`);
  }
  if (authorizedKeys.length === 0) throw badBoot("nobody could log in: no public key is given");
  const bad = [...authorizedKeys, hostKey.publicKey].find((key) => !PUBLIC_KEY.test(key));
  if (bad !== undefined) throw badBoot(`${JSON.stringify(bad.slice(0, 60))} is not a public key`);
}

function badBoot(message: string): AlError {
  return new AlError(message, {
    code: "bad-first-boot",
    blame: "user",
    hint: "Name a user like `deploy` in fleet.toml, and look at the key with: al creds ls",
  });
}
