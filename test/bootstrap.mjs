// Starts a TypeScript entry on the pinned Node, from any Node 20 or later with nothing installed.
// Plain JavaScript and Node's own modules only: it runs before there is anything else.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// biome-ignore lint/style/noProcessEnv: nothing central exists yet when this runs
const environment = process.env;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stampFile = join(modules, ".al-installed");
const pinnedNode = join(modules, "node", "bin", process.platform === "win32" ? "node.exe" : "node");

/**
 * Installs the dependencies where they are missing or not those of package-lock.json, then runs
 * `script` (a path below the checkout) with `args` and ends as it ends.
 */
export async function bootstrap(script, args = process.argv.slice(2)) {
  await install();
  const child = spawn(pinnedNode, [join(root, script), ...args], {
    cwd: root,
    stdio: "inherit",
    env: { ...environment, PATH: [join(modules, ".bin"), environment.PATH].join(delimiter) },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.once("error", (error) => fail(`cannot start ${pinnedNode}: ${error.message}`));
  child.once("close", (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

async function install() {
  const lockfile = join(root, "package-lock.json");
  if (!existsSync(lockfile)) fail("package-lock.json is missing");
  const wanted = createHash("sha256").update(readFileSync(lockfile)).digest("hex");
  if (isInstalled(lockfile, wanted)) return;
  await withLock(() => {
    if (isInstalled(lockfile, wanted)) return;
    say("installing dependencies with npm ci");
    npmCi();
    if (!existsSync(pinnedNode)) fail(`npm ci did not bring the pinned Node to ${pinnedNode}`);
    writeFileSync(stampFile, wanted);
  });
}

/** True when our stamp, or npm's own record of what it installed, agrees with the lockfile. */
function isInstalled(lockfile, wanted) {
  if (!existsSync(pinnedNode)) return false;
  if (existsSync(stampFile)) return readFileSync(stampFile, "utf8") === wanted;
  const hidden = join(modules, ".package-lock.json");
  if (!existsSync(hidden)) return false;
  const installed = JSON.parse(readFileSync(hidden, "utf8")).packages;
  const locked = Object.entries(JSON.parse(readFileSync(lockfile, "utf8")).packages);
  const agrees = locked.every(([path, entry]) => {
    if (path === "" || entry.optional || entry.link) return true;
    return installed[path]?.version === entry.version && existsSync(join(root, path));
  });
  if (agrees) writeFileSync(stampFile, wanted);
  return agrees;
}

function npmCi() {
  const flags = ["--include=dev", "--ignore-scripts=false", "--no-audit", "--no-fund"];
  const { status, error } = spawnSync("npm", ["ci", ...flags], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
    env: quietEnvironment(),
  });
  if (status !== 0) fail(`npm ci failed: ${error?.message ?? `it ended with ${status}`}`);
}

/** Without what an outer npm tells its scripts; registry, cache, proxy and certificates stay. */
function quietEnvironment() {
  const kept = /^npm_config_(registry|cache|userconfig|globalconfig|cafile|.*proxy|@.*)$/i;
  const entries = Object.entries(environment).filter(
    ([name]) => name !== "NODE_ENV" && (!/^npm_/i.test(name) || kept.test(name)),
  );
  return Object.fromEntries(entries);
}

/** One installation at a time in a checkout; the lock of a process that died counts for nothing. */
async function withLock(work) {
  const id = createHash("sha256").update(root).digest("hex").slice(0, 12);
  const lock = join(tmpdir(), `al-install-${id}.lock`);
  for (let told = false; !take(lock); told = true) {
    if (!told) say("waiting for another process that is installing dependencies");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  const owner = Number(existsSync(lock) ? readFileSync(lock, "utf8") : 0);
  if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
  return false;
}

function isAlive(id) {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function fail(message) {
  say(`error: ${message}`);
  process.exit(1);
}
