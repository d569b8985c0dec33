import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build as bundle, type Plugin } from "esbuild";
import { errnoOf } from "./base/errors.ts";
import { forAgents, forCli, forRuntime } from "./build-plugins.ts";

const PROJECT = dirname(import.meta.dirname);
const STAMP = ".stamp";
const NODE_BUNDLE: BuildOptions = {
  absWorkingDir: PROJECT,
  entryNames: "[name]",
  bundle: true,
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  platform: "node",
  target: "node22",
  format: "esm",
  logLevel: "error",
  // CommonJS libraries among the inputs call require() for Node's own modules.
  banner: {
    js: "import{createRequire as alCreateRequire}from'node:module';const require=alCreateRequire(import.meta.url);",
  },
};
/** Optional native parts, and what only providers load that no agent can name. */
const EXTERNAL = [
  "*.node",
  "koffi",
  "cpu-features",
  "@mariozechner/clipboard",
  "@aws-sdk/*",
  "@smithy/*",
];

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
    await bundleCli(next);
    await bundleAgents(join(next, "agents"));
    await bundleRuntime(join(next, "runtime"));
    await bundleEntrance(join(next, "door"), "door");
    await bundleEntrance(join(next, "ingress"), "ingress");
    await writeFile(join(next, STAMP), stamp);
    if (await hasStamp(dist, stamp)) return done(false);
    await replaceDirectory(dist, next, stamp);
  } finally {
    await rm(next, { recursive: true, force: true });
  }
  return done(true);
}

/**
 * Bundles `al` into `directory`, our dependencies included: finding and reading hundreds of files would
 * take longer than most commands. Readable, so that a stack trace says something. ssh2 stays outside:
 * it looks for its native parts beside itself.
 */
async function bundleCli(directory: string): Promise<void> {
  await bundle({
    ...NODE_BUNDLE,
    entryPoints: ["src/al.ts"],
    outdir: directory,
    external: ["ssh2", "*.node"],
    plugins: [...forCli],
  });
}

/** Bundles what runs inside an agent's container into `directory`. */
export async function bundleAgents(directory: string): Promise<void> {
  const programs = ["container-entry", "probe", "command"];
  const entries = programs.map((name) => `src/agent/${name}.ts`);
  await bundleEntries(directory, entries, forAgents);
  await writePackageJson(directory, { piConfig: { name: "al", configDir: ".al" } });
}

async function bundleRuntime(directory: string): Promise<void> {
  await bundleEntries(
    directory,
    ["src/runtime/main.ts", "src/runtime/control-proxy.ts"],
    forRuntime,
  );
  await writePackageJson(directory, {});
}

/** One file that says nothing of our version: equal bytes are the same door, or ingress. */
async function bundleEntrance(directory: string, name: "door" | "ingress"): Promise<void> {
  await bundle({
    ...NODE_BUNDLE,
    entryPoints: [`src/runtime/${name}.ts`],
    outdir: directory,
    outExtension: { ".js": ".mjs" },
    splitting: false,
    banner: {},
    minify: true,
  });
}

async function bundleEntries(
  directory: string,
  entryPoints: readonly string[],
  plugins: readonly Plugin[],
): Promise<void> {
  await bundle({
    ...NODE_BUNDLE,
    entryPoints: [...entryPoints],
    outdir: directory,
    minify: true,
    legalComments: "none",
    external: EXTERNAL,
    plugins: [...plugins],
  });
}

/** pi reads the package.json nearest to its own file; Node needs it to see modules. */
async function writePackageJson(directory: string, more: object): Promise<void> {
  const { version } = JSON.parse(await readFile(join(PROJECT, "package.json"), "utf8"));
  const content = { name: "action-llama-fleet", version, type: "module", ...more };
  await writeFile(join(directory, "package.json"), `${JSON.stringify(content, null, 2)}\n`);
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
  const others = ["package.json", "package-lock.json", "tsconfig.json"];
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
