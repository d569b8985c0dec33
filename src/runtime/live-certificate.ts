import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { errnoOf, hasCode, toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { Secret } from "../base/secret.ts";
import { GIVEN_CERTIFICATE, INGRESS_DIRECTORY } from "../core/names.ts";
import { checkCertificate } from "../credentials/tls-certificate.ts";
import type { ReleasePort } from "../schedule/ports.ts";
import { createSerial } from "../schedule/serial.ts";

/** What the given certificate of the public name is kept with. */
export interface CertificateKeeper {
  /**
   * Puts the live credential set's certificate and key where the ingress sees them, in one file that takes
   * its place all at once; removes it where none is given. What is not a certificate with its key is logged,
   * once for a set, and the one before stays. @throws whatever reading or writing throws: it may be tried again.
   */
  follow(): Promise<void>;
  /** Follows each minute, so that a file that was removed comes back; ends when aborted, and never rejects. */
  keepFollowing(signal: AbortSignal): Promise<void>;
}

/** What the keeper is wired to. */
export interface CertificateOptions {
  readonly projectDir: string;
  readonly releases: ReleasePort;
  readonly clock: Clock;
  readonly logger: Logger;
}

const AGAIN_MS = 60_000;

/** The certificate comes with the live credential set and goes with it; the ingress never sees the set. */
export function keepCertificate(options: CertificateOptions): CertificateKeeper {
  const { projectDir, releases, clock, logger } = options;
  const place = join(projectDir, INGRESS_DIRECTORY, GIVEN_CERTIFICATE);
  const serial = createSerial();
  /** The credential set of which it was logged that nobody can use its certificate. */
  let unusable: string | undefined;
  const follow = async () => {
    const live = await releases.current();
    if (!live) return;
    const instance = live.project.ingress?.certificate;
    if (instance === undefined) return removeFiles(place);
    const set = join(projectDir, "credentials", live.credentials, "tls_certificate", instance);
    try {
      await replace(place, await readPair(set, instance));
    } catch (thrown) {
      if (!hasCode(thrown, "certificate-unusable")) throw thrown;
      if (unusable === live.credentials) return;
      unusable = live.credentials;
      logger.error({ err: thrown }, "the public name has no usable certificate");
    }
  };
  return {
    follow: () => serial(follow),
    async keepFollowing(signal) {
      while (!signal.aborted) {
        await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
        if (signal.aborted) return;
        await serial(follow).catch((thrown) => {
          logger.error(
            { err: toAlError(thrown) },
            "the public name's certificate was not put there",
          );
        });
      }
    },
  };
}

async function readPair(set: string, instance: string): Promise<Buffer> {
  const [certificate, key] = await Promise.all([
    readFile(join(set, "certificate")),
    readFile(join(set, "private_key")),
  ]);
  const ref = { type: "tls_certificate", instance };
  checkCertificate(ref, (name) => new Secret(name === "certificate" ? certificate : key));
  return Buffer.concat([certificate, Buffer.from("\n"), key]);
}

/** What is there already stays the same file. */
async function replace(place: string, pem: Buffer): Promise<void> {
  if (pem.equals(await readOr(place))) return;
  const next = nextOf(place);
  // One that was left there may have another's rights.
  await rm(next, { force: true });
  await writeFile(next, pem, { mode: 0o600 });
  await rename(next, place);
}

async function removeFiles(place: string): Promise<void> {
  await rm(nextOf(place), { force: true });
  await rm(place, { force: true });
}

function nextOf(place: string): string {
  return `${place}.next`;
}

async function readOr(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return Buffer.alloc(0);
    throw thrown;
  }
}
