import { destination } from "pino";
import { AlError, toAlError } from "../base/errors.ts";
import { createLogger } from "../base/logger.ts";
import { giveBackMemory } from "./give-back-memory.ts";
import { runRuntime } from "./run-runtime.ts";
import { RuntimeLogFile, runtimeLogDirectory } from "./runtime-log-file.ts";

// The runtime container's program. Its whole configuration is two variables; the rest is in files.

const stdout = destination({ fd: 1, sync: true });
let file: RuntimeLogFile | undefined;
const write = (line: string) => {
  stdout.write(line);
  file?.write(line);
};
const logger = createLogger({ destination: { write } });
// What it writes below the project's directory is for its own user.
process.umask(0o077);
// docker-modem calls url.parse, with nothing but our own paths.
process.noDeprecation = true;
giveBackMemory();
const stop = new AbortController();
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.on(name, () => {
    logger.info({ signal: name }, "asked to stop");
    stop.abort(new AlError("asked to stop", { code: "aborted", blame: "transient" }));
  });
}

try {
  const projectDir = variable("AL_PROJECT_DIR");
  const runtimeName = variable("AL_RUNTIME_NAME");
  file = new RuntimeLogFile(runtimeLogDirectory(projectDir));
  await runRuntime({ projectDir, runtimeName, logger, signal: stop.signal });
  process.exit(0);
} catch (thrown) {
  logger.error({ err: toAlError(thrown) }, "the runtime ends");
  process.exit(1);
}

function variable(name: string): string {
  // biome-ignore lint/style/noProcessEnv: the one place where the runtime container's environment is read
  const value = process.env[name];
  if (value) return value;
  throw new AlError(`the variable ${name} is not set`, { code: "no-configuration", blame: "bug" });
}
