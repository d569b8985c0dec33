import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AlError, errnoOf } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import type { CredentialNeed } from "../core/desired.ts";
import { compareText, credentialVersion } from "../core/fingerprint.ts";
import { credentialFolder, type HeldCredentials } from "../core/resolve-credentials.ts";
import { checkCertificate } from "./tls-certificate.ts";

/** Reads the operator's own store, `<root>/<type>/<instance>/<field>`. It is never written here. */
export interface CredentialStore {
  /** One field's bytes, exactly as stored; undefined when absent. `path` is `type/instance/field`. */
  read(path: string): Promise<Secret | undefined>;
  /**
   * Versions of what is needed and there, under one host's key, and the paths of what is not.
   * @throws AlError `certificate-unusable` (user) for a `tls_certificate` that nobody could use.
   */
  holdings(needs: readonly CredentialNeed[], keyHex: string): Promise<HeldCredentials>;
}

/** Opens a store below `root`, usually `~/.action-llama/credentials`. */
export function openCredentialStore(root: string): CredentialStore {
  const read = async (path: string) => {
    try {
      return new Secret(await readFile(join(root, ...safeParts(path))));
    } catch (thrown) {
      if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "ENOTDIR") return undefined;
      throw unreadable(join(root, path), thrown);
    }
  };
  return {
    read,
    async holdings(needs, keyHex) {
      const paths = (await Promise.all(needs.map((need) => fieldPaths(root, need)))).flat();
      const fields = await Promise.all(
        paths.map(async (path) => ({ path, value: await read(path) })),
      );
      const values = new Map(fields.map(({ path, value }) => [path, value]));
      for (const need of needs) {
        checkCertificate(need, (name) => values.get(`${credentialFolder(need)}${name}`));
      }
      const held = fields.flatMap(({ path, value }) =>
        value ? [{ path, hash: credentialVersion(keyHex, value.revealBytes()) }] : [],
      );
      return { held, absent: fields.filter(({ value }) => !value).map(({ path }) => path) };
    },
  };
}

async function fieldPaths(root: string, need: CredentialNeed): Promise<string[]> {
  const fields = need.fields.length > 0 ? need.fields : await listFields(root, need);
  const wanted = fields.length > 0 ? fields : ["*"];
  return [...wanted].sort(compareText).map((field) => `${credentialFolder(need)}${field}`);
}

/** A type we do not know consists of whatever fields are there; of `*` when there are none. */
async function listFields(root: string, need: CredentialNeed): Promise<string[]> {
  try {
    const entries = await readdir(join(root, ...safeParts(credentialFolder(need))), {
      withFileTypes: true,
    });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return [];
    throw unreadable(join(root, credentialFolder(need)), thrown);
  }
}

function safeParts(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.length === 0 || parts.some((part) => part.startsWith(".") || part.includes("\\"))) {
    throw new AlError(`credential path ${JSON.stringify(path)} is not allowed`, {
      code: "credential-path",
      blame: "user",
    });
  }
  return parts;
}

function unreadable(path: string, cause: unknown): AlError {
  return new AlError(`credential file ${path} cannot be read: ${(cause as Error).message}`, {
    code: "credential-unreadable",
    blame: "user",
    hint: "Files of the store belong to you, with mode 0600.",
    cause,
  });
}
