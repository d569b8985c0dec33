import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import {
  isCredentialField,
  isCredentialInstance,
  isCredentialTypeName,
} from "../core/credential-types.ts";
import type { Environment } from "./environment.ts";
import { fetchCredentials, type GatewayPlace } from "./gateway-credentials.ts";

/** A run's credentials: type, then instance, then field. */
export type RunCredentials = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, Secret>>>;

/** Where credentials came from, in the words of the log. */
export type CredentialSource = "volume" | "env vars" | "gateway";

/** Where to look for credentials. */
export interface CredentialPlaces {
  readonly directory: string;
  readonly env: Environment;
  /** Asked when both its address and the run's secret are known. */
  readonly gateway: { readonly [K in keyof GatewayPlace]: GatewayPlace[K] | undefined };
}

const VARIABLE = /^AL_SECRET_(.+?)__(.+)__(.+?)$/;

/**
 * A run's credentials from the first place that has any: the volume, AL_SECRET_* variables,
 * the gateway. AL_SECRET_* variables are removed from the environment in every case.
 * @returns undefined when no place has any.
 */
export async function loadCredentials(
  places: CredentialPlaces,
): Promise<{ source: CredentialSource; credentials: RunCredentials } | undefined> {
  const variables = takeVariables(places.env);
  const volume = await readVolume(places.directory);
  if (volume.size > 0) return { source: "volume", credentials: volume };
  if (variables.size > 0) return { source: "env vars", credentials: variables };
  const { url, secret, retryBaseMs } = places.gateway;
  if (!url || !secret) return undefined;
  const fetched = tableOf(await fetchCredentials({ url, secret, retryBaseMs }));
  return fetched.size > 0 ? { source: "gateway", credentials: fetched } : undefined;
}

async function readVolume(directory: string): Promise<RunCredentials> {
  const found = new CredentialTable();
  for (const type of await entries(directory, isCredentialTypeName)) {
    for (const instance of await entries(join(directory, type), isCredentialInstance)) {
      for (const field of await entries(join(directory, type, instance), isCredentialField)) {
        found.add([type, instance, field], await readFile(join(directory, type, instance, field)));
      }
    }
  }
  return found.types;
}

async function entries(directory: string, accept: (name: string) => boolean): Promise<string[]> {
  let found: Dirent[];
  try {
    found = await readdir(directory, { withFileTypes: true });
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "ENOTDIR") return [];
    throw thrown;
  }
  return found
    .map((entry) => entry.name)
    .filter(accept)
    .sort();
}

function takeVariables(env: Environment): RunCredentials {
  const found = new CredentialTable();
  for (const name of env.names().filter((candidate) => candidate.startsWith("AL_SECRET_"))) {
    const [, type, instance, field] = VARIABLE.exec(name) ?? [];
    const value = env.get(name);
    if (type && instance && field && value !== undefined) found.add([type, instance, field], value);
    env.unset(name);
  }
  return found.types;
}

function tableOf(answer: Awaited<ReturnType<typeof fetchCredentials>>): RunCredentials {
  const found = new CredentialTable();
  for (const [type, instances] of Object.entries(answer)) {
    for (const [instance, fields] of Object.entries(instances)) {
      for (const [field, value] of Object.entries(fields))
        found.add([type, instance, field], value);
    }
  }
  return found.types;
}

class CredentialTable {
  readonly types = new Map<string, Map<string, Map<string, Secret>>>();

  /** Values are trimmed: editors and `echo` end files with a line break. */
  add([type, instance, field]: readonly [string, string, string], value: string | Buffer): void {
    const instances = this.types.get(type) ?? new Map<string, Map<string, Secret>>();
    const fields = instances.get(instance) ?? new Map<string, Secret>();
    fields.set(field, new Secret(value.toString("utf8").trim()));
    this.types.set(type, instances.set(instance, fields));
  }
}
