import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build as bundle, type Plugin } from "esbuild";
import { AlError, errnoOf } from "./base/errors.ts";
import { modelProviders } from "./core/agent-run-config.ts";

const PROJECT = dirname(import.meta.dirname);
const STAMP = ".stamp";
/** Optional native parts, and what only providers load that no agent can name. */
const EXTERNAL = [
  "*.node",
  "koffi",
  "cpu-features",
  "@mariozechner/clipboard",
  "@aws-sdk/*",
  "@smithy/*",
];

/**
 * Parts of libraries that a container must never reach: pi's loader of extensions, its colours for
 * terminals and its own HTTP client, which only its command line puts in place of Node's;
 * dockerode's own SSH, since a runtime only uses the socket it is given.
 * In their place stands a value that does nothing.
 */
const leftOut: Plugin = {
  name: "left-out",
  setup(builder) {
    const packages = /^(jiti|highlight\.js|grok-mermaid|undici|ssh2)(\/|$)/;
    const loaders = /\/(virtual-modules|jiti-loader|jiti-static-loader)\.js$/;
    const contents =
      "module.exports = new Proxy(() => {}, { get: (nothing, key) => key === '__esModule' ? undefined : nothing });";
    for (const filter of [packages, loaders]) {
      builder.onResolve({ filter }, ({ path }) => ({ path, namespace: "left-out" }));
    }
    builder.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents, loader: "js" }));
  },
};

/**
 * Leaves out what pi has for people at a terminal, and its lists of the models of providers that
 * no agent can name: together two thirds of it, which every run would read and compile.
 */
const onlySession: Plugin = {
  name: "only-session",
  setup(builder) {
    // pi does not say so itself, but its modules only define things.
    const pure = /\/node_modules\/@earendil-works\/(pi-coding-agent|pi-tui)\//;
    builder.onResolve({ filter: /^\.{1,2}\/.*\.js$/ }, ({ path, importer, resolveDir }) =>
      pure.test(importer) ? { path: join(resolveDir, path), sideEffects: false } : undefined,
    );
    builder.onLoad({ filter: /\/providers\/data\/[^/]+\.json$/ }, ({ path }) =>
      (modelProviders as readonly string[]).includes(basename(path, ".json"))
        ? undefined
        : { contents: "{}", loader: "json" },
    );
  },
};

/** What a build did. */
export interface BuildResult {
  readonly dist: string;
  /** False when the output of these very inputs was there already. */
  readonly built: boolean;
  readonly durationMs: number;
}

/**
 * Builds the CLI and the bundles into `dist`, which is replaced as a whole when all is done.
 * Does nothing when sources, lock file and tools are those of the last build.
 */
export async function buildProject(dist = join(PROJECT, "dist")): Promise<BuildResult> {
  const started = performance.now();
  const stamp = await fingerprint();
  const done = (built: boolean) => ({ dist, built, durationMs: performance.now() - started });
  if (await hasStamp(dist, stamp)) return done(false);
  const next = join(PROJECT, ".cache", `build-${process.pid}`);
  try {
    await rm(next, { recursive: true, force: true });
    await compileCli(next);
    await bundleAgents(join(next, "agents"));
    await bundleRuntime(join(next, "runtime"));
    await writeFile(join(next, STAMP), stamp);
    await replaceDirectory(dist, next, stamp);
  } finally {
    await rm(next, { recursive: true, force: true });
  }
  return done(true);
}

/** Bundles what runs inside an agent's container into `directory`. */
export async function bundleAgents(directory: string): Promise<void> {
  const programs = ["src/agent/container-entry.ts", "src/agent/probe.ts"];
  await bundleEntries(directory, programs, [leftOut, onlySession]);
  await writePackageJson(directory, { piConfig: { name: "al", configDir: ".al" } });
}

/** Bundles the runtime container's programs, those that exist, into `directory`. */
export async function bundleRuntime(directory: string): Promise<void> {
  const programs = ["src/runtime/main.ts", "src/runtime/control-proxy.ts"];
  const present = programs.filter((program) => existsSync(join(PROJECT, program)));
  if (present.length === 0) return;
  await bundleEntries(directory, present, [leftOut]);
  await writePackageJson(directory, {});
}

async function bundleEntries(
  directory: string,
  entryPoints: readonly string[],
  plugins: Plugin[],
): Promise<void> {
  await bundle({
    absWorkingDir: PROJECT,
    entryPoints: [...entryPoints],
    outdir: directory,
    entryNames: "[name]",
    bundle: true,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    minify: true,
    platform: "node",
    target: "node22",
    format: "esm",
    legalComments: "none",
    logLevel: "error",
    external: EXTERNAL,
    plugins,
    // CommonJS libraries among the inputs call require() for Node's own modules.
    banner: {
      js: "import{createRequire as alCreateRequire}from'node:module';const require=alCreateRequire(import.meta.url);",
    },
  });
}

/** pi reads the package.json nearest to its own file; Node needs it to see modules. */
async function writePackageJson(directory: string, more: object): Promise<void> {
  const { version } = JSON.parse(await readFile(join(PROJECT, "package.json"), "utf8"));
  const content = { name: "action-llama-fleet", version, type: "module", ...more };
  await writeFile(join(directory, "package.json"), `${JSON.stringify(content, null, 2)}\n`);
}

/** Types are `npm run check`'s business; here they are only stripped. */
async function compileCli(directory: string): Promise<void> {
  const tsc = join(PROJECT, "node_modules", "typescript", "bin", "tsc");
  const args = [tsc, "-p", "tsconfig.build.json", "--outDir", directory, "--noCheck"];
  try {
    await promisify(execFile)(process.execPath, args, { cwd: PROJECT });
  } catch (cause) {
    const { stdout } = cause as { stdout?: string };
    const message = `tsc failed\n${stdout ?? String(cause)}`;
    throw new AlError(message, { code: "build-failed", blame: "user", cause });
  }
  await dropContainerRooms(directory);
}

/** What runs in containers is bundled; the compiler's files of these rooms must not lie beside it. */
async function dropContainerRooms(directory: string): Promise<void> {
  for (const room of ["agent", "runtime"])
    await rm(join(directory, room), { recursive: true, force: true });
  for (const file of await readdir(join(directory, "cli")).catch(() => [])) {
    if (!file.endsWith(".js")) continue;
    const found = /"\.\.\/(agent|runtime)\/[^"]*"/.exec(
      await readFile(join(directory, "cli", file), "utf8"),
    );
    if (!found) continue;
    throw new AlError(`cli/${file} imports ${found[0]}, which only exists as a bundle`, {
      code: "build-failed",
      blame: "bug",
    });
  }
}

async function replaceDirectory(target: string, source: string, stamp: string): Promise<void> {
  const old = join(PROJECT, ".cache", `old-${process.pid}`);
  await mkdir(dirname(target), { recursive: true });
  try {
    await rename(target, old);
  } catch (thrown) {
    if (errnoOf(thrown) !== "ENOENT") throw thrown;
  }
  try {
    await rename(source, target);
  } catch (thrown) {
    // Another build of the same inputs was faster.
    if (!(await hasStamp(target, stamp))) throw thrown;
  } finally {
    await rm(old, { recursive: true, force: true });
  }
}

async function hasStamp(dist: string, stamp: string): Promise<boolean> {
  const found = await readFile(join(dist, STAMP), "utf8").catch(() => undefined);
  return found === stamp;
}

async function fingerprint(): Promise<string> {
  const files = await readdir(join(PROJECT, "src"), { recursive: true, withFileTypes: true });
  const sources = files
    .filter((entry) => entry.isFile())
    .map((entry) => relative(PROJECT, join(entry.parentPath, entry.name)));
  const others = ["package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json"];
  const hash = createHash("sha256").update(process.version);
  for (const file of [...sources, ...others].sort()) {
    hash.update(`\0${file}\0`).update(await readFile(join(PROJECT, file)));
  }
  return hash.digest("hex");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { dist, built, durationMs } = await buildProject();
  const what = built ? "built" : "unchanged";
  process.stdout.write(`${what}: ${dist} (${Math.round(durationMs)} ms)\n`);
}
