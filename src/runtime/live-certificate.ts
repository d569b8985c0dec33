import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { AlError, errnoOf } from "../base/errors.ts";
import { GIVEN_CERTIFICATE, INGRESS_DIRECTORY } from "../core/names.ts";
import type { ReleasePort } from "../schedule/ports.ts";

/** What the given certificate of the public name is kept with. */
export interface CertificateKeeper {
  /**
   * Puts the live credential set's certificate and key where the ingress sees them, in one file that takes
   * its place all at once; removes it where none is given.
   * @throws AlError `certificate-unusable` (user) when they are not a certificate and its key.
   */
  follow(): Promise<void>;
}

/** The certificate comes with the live credential set and goes with it; the ingress never sees the set. */
export function keepCertificate(projectDir: string, releases: ReleasePort): CertificateKeeper {
  const place = join(projectDir, INGRESS_DIRECTORY, GIVEN_CERTIFICATE);
  return {
    async follow() {
      const live = await releases.current();
      if (!live) return;
      const instance = live.project.ingress?.certificate;
      if (instance === undefined) return rm(place, { force: true });
      const set = join(projectDir, "credentials", live.credentials, "tls_certificate", instance);
      const pem = await readPair(set, instance);
      if (pem.equals(await readOr(place))) return;
      const next = `${place}.${randomUUID()}`;
      try {
        await writeFile(next, pem, { mode: 0o600 });
        await rename(next, place);
      } finally {
        await rm(next, { force: true });
      }
    },
  };
}

async function readPair(set: string, instance: string): Promise<Buffer> {
  try {
    const [cert, key] = await Promise.all([
      readFile(join(set, "certificate")),
      readFile(join(set, "private_key")),
    ]);
    createSecureContext({ cert, key });
    return Buffer.concat([cert, Buffer.from("\n"), key]);
  } catch (cause) {
    throw new AlError(
      `tls_certificate:${instance} is not a certificate with its key, both as PEM`,
      {
        code: "certificate-unusable",
        blame: "user",
        hint: `Store it anew and deliver it: al creds add tls_certificate:${instance} && al push`,
        cause,
      },
    );
  }
}

async function readOr(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return Buffer.alloc(0);
    throw thrown;
  }
}
