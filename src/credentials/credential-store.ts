import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AlError, errnoOf } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import type { CredentialNeed } from "../core/desired.ts";
import { compareText, credentialVersion, type FileHash } from "../core/fingerprint.ts";

/** Reads the operator's own store, `<root>/<type>/<instance>/<field>`. It is never written here. */
export interface CredentialStore {
  /** One field's bytes, exactly as stored; undefined when absent. `path` is `type/instance/field`. */
  read(path: string): Promise<Secret | undefined>;
  /**
   * Versions of everything needed, under one host's key, sorted by path.
   * @throws AlError `credential-missing` naming every missing field and where it belongs.
   */
  versions(needs: readonly CredentialNeed[], keyHex: string): Promise<readonly FileHash[]>;
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
    async versions(needs, keyHex) {
      const paths = (await Promise.all(needs.map((need) => fieldPaths(root, need)))).flat();
      const values = await Promise.all(paths.map(read));
      const missing = paths.filter((_, index) => values[index] === undefined);
      const absent = needs.filter(({ fields }) => fields.length === 0);
      const empty = absent.filter((need) => !paths.some((path) => path.startsWith(folder(need))));
      if (missing.length + empty.length > 0) {
        throw missingError(root, [...missing, ...empty.map((need) => `${folder(need)}*`)], needs);
      }
      return paths.map((path, index) => ({
        path,
        hash: credentialVersion(keyHex, (values[index] as Secret).revealBytes()),
      }));
    },
  };
}

async function fieldPaths(root: string, need: CredentialNeed): Promise<string[]> {
  const fields = need.fields.length > 0 ? need.fields : await listFields(root, need);
  return [...fields].sort(compareText).map((field) => `${folder(need)}${field}`);
}

/** A type we do not know consists of whatever fields are there. */
async function listFields(root: string, need: CredentialNeed): Promise<string[]> {
  try {
    const entries = await readdir(join(root, ...safeParts(folder(need))), { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return [];
    throw unreadable(join(root, folder(need)), thrown);
  }
}

function folder(need: CredentialNeed): string {
  return `${need.type}/${need.instance}/`;
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

function missingError(
  root: string,
  missing: readonly string[],
  needs: readonly CredentialNeed[],
): AlError {
  const lines = missing.map((path) => {
    const need = needs.find((candidate) => path.startsWith(folder(candidate)));
    const agents = need?.agents.join(", ");
    return `${path}${agents ? ` (for ${agents})` : ""}`;
  });
  const [first = ""] = missing;
  return new AlError(`missing credential${missing.length === 1 ? "" : "s"}: ${lines.join("; ")}`, {
    code: "credential-missing",
    blame: "user",
    hint: `Write the value to ${join(root, first)} (mode 0600) and apply again.`,
  });
}
