import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, rename } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import type Docker from "dockerode";
import { cacheDirectory, type SetupOptions, withLock } from "./cache.ts";
import { mustRun } from "./command.ts";
import { debianMirror, ensurePrograms, isRootOnDebian } from "./debian.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { hasImage } from "./image.ts";
import { endProcesses, processesNaming, unmountBelow } from "./leftovers.ts";

/** A release of Debian that the lab knows. */
export type Suite = "bookworm" | "trixie" | "testing";

/**
 * The name of an image that holds a minimal Debian and nothing else; made when missing.
 * As root on Debian it is bootstrapped from the archive, without a registry, and its tarball is
 * cached; elsewhere it is the registry's `debian:<suite>-slim`.
 */
export async function ensureDebianRoot(
  engine: Engine,
  suite: Suite,
  options: SetupOptions,
): Promise<string> {
  const docker = connectEngine(engine);
  const tag = `${suite}-${recipeHash}`;
  const name = `al-lab/root:${tag}`;
  if (await hasImage(docker, name)) return name;
  await withLock(`root-${suite}`, options, async () => {
    if (await hasImage(docker, name)) return;
    if (await isRootOnDebian()) await importRoot(docker, suite, options);
    else await pullRoot(docker, suite, options);
  });
  return name;
}

/** No documentation, no translations, no fsync for every file of a package. */
const packageOptions = [
  "force-unsafe-io",
  ...["man", "info", "locale", "lintian"].map((name) => `path-exclude=/usr/share/${name}/*`),
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
];

/** A mirror of testing may lag by more than its index allows; signatures are checked all the same. */
const mayBeStale = 'Acquire::Check-Valid-Until "false"';

const recipeHash = createHash("sha256").update(packageOptions.join("\n")).digest("hex").slice(0, 8);

async function importRoot(docker: Docker, suite: Suite, options: SetupOptions): Promise<void> {
  const tarball = await ensureTarball(suite, options);
  options.log(`importing Debian ${suite} from ${tarball}`);
  const importing = await docker.importImage(createReadStream(tarball), {
    repo: "al-lab/root",
    tag: `${suite}-${recipeHash}`,
  });
  await finished(importing.resume());
}

/** Written beside its name and renamed, so that what has the name is whole. */
async function ensureTarball(suite: Suite, options: SetupOptions): Promise<string> {
  const directory = cacheDirectory("roots");
  const tarball = join(directory, `${suite}-${recipeHash}.tar`);
  const exists = await access(tarball).then(
    () => true,
    () => false,
  );
  if (exists) return tarball;
  await ensurePrograms({ mmdebstrap: "mmdebstrap" }, options);
  options.log(`bootstrapping Debian ${suite} from ${debianMirror}, about 20 seconds`);
  const work = cacheDirectory("roots", `${suite}.work`);
  await endProcesses(await processesNaming("perl", work));
  await clear(work);
  const partial = join(cacheDirectory("roots", `${suite}.work`), "root.tar");
  const flags = packageOptions.map((option) => `--dpkgopt=${option}`);
  if (suite === "testing") flags.push(`--aptopt=${mayBeStale}`);
  await mustRun(
    ["mmdebstrap", "--variant=minbase", "--mode=root", ...flags, suite, partial, debianMirror],
    { env: { TMPDIR: work } },
  );
  await rename(partial, tarball);
  await clear(work);
  return tarball;
}

async function clear(directory: string): Promise<void> {
  await unmountBelow(directory);
  await mustRun(["rm", "-rf", "--one-file-system", directory]);
}

async function pullRoot(docker: Docker, suite: Suite, { log }: SetupOptions): Promise<void> {
  const source = `debian:${suite}-slim`;
  log(`pulling ${source}`);
  const pulling: NodeJS.ReadableStream = await docker.pull(source);
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(pulling, (error) => (error ? reject(error) : resolve()));
  });
  await docker.getImage(source).tag({ repo: "al-lab/root", tag: `${suite}-${recipeHash}` });
}
