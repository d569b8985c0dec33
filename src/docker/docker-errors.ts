import { AlError, errnoOf } from "../base/errors.ts";
import type { Transport } from "../transport/transport.ts";

/** A failed engine call as the modem reports it. */
interface EngineFailure {
  readonly statusCode?: number;
  readonly message: string;
}

/**
 * What the engine or the way to it answered, as an AlError that names host and call.
 * An AlError is handed on as it is: it was classified further down.
 */
export function engineError(host: string, what: string, thrown: unknown): AlError {
  if (thrown instanceof AlError) return thrown;
  const failure = thrown as EngineFailure;
  const said = (failure.message ?? String(thrown)).replace(/^\(HTTP code \d+\) \w* ?.*? - /s, "");
  const message = `${host}: cannot ${what}: ${said.trim()}`;
  if (/no space left on device/i.test(said)) return diskFull(message, thrown);
  if (failure.statusCode !== undefined) return httpError(message, failure.statusCode, thrown);
  if (isBrokenConnection(thrown)) {
    return new AlError(message, { code: "docker-down", blame: "transient", cause: thrown });
  }
  return new AlError(message, { code: "docker-failed", blame: "transient", cause: thrown });
}

/** The engine's disk is full; nothing but space helps. */
export function diskFull(message: string, cause?: unknown): AlError {
  return new AlError(message, {
    code: "disk-full",
    blame: "user",
    hint: "Free space where Docker keeps its data (`docker system df` shows what takes it), or use a larger disk.",
    cause,
  });
}

/** Why the engine's socket could not be reached: looks on the host, and says what to do there. */
export async function diagnoseSocket(
  transport: Transport,
  socketPath: string,
  cause: unknown,
): Promise<AlError> {
  if (cause instanceof AlError && cause.code !== "socket-unavailable") return cause;
  const verdict = await socketVerdict(transport, socketPath);
  const { host } = transport;
  switch (verdict) {
    case "missing":
      return new AlError(`${host}: Docker is not installed (no ${socketPath})`, {
        code: "docker-missing",
        blame: "user",
        hint: `Install Docker on ${host}: https://docs.docker.com/engine/install/`,
        cause,
      });
    case "permission":
      return new AlError(`${host}: the SSH user may not use ${socketPath}`, {
        code: "docker-permission",
        blame: "user",
        hint: `Add the SSH user to the docker group on ${host}: sudo usermod -aG docker USER`,
        cause,
      });
    default:
      return new AlError(`${host}: Docker does not answer at ${socketPath}`, {
        code: "docker-down",
        blame: "transient",
        hint: `Start it on ${host}: sudo systemctl start docker`,
        cause,
      });
  }
}

const VERDICT_SCRIPT = `
if [ -w "$1" ]; then echo down
elif [ -e "$1" ]; then echo permission
elif command -v dockerd || [ -x /usr/sbin/dockerd ] || [ -x /usr/bin/dockerd ]; then echo down
else echo missing
fi`;

async function socketVerdict(transport: Transport, socketPath: string): Promise<string> {
  const argv = ["sh", "-c", VERDICT_SCRIPT, "sh", socketPath];
  const result = await transport.exec(argv, { timeoutMs: 15_000 });
  return result.stdout.toString("utf8").trim().split("\n").at(-1) ?? "";
}

function httpError(message: string, status: number, cause: unknown): AlError {
  if (status === 404) {
    return new AlError(message, { code: "docker-not-found", blame: "transient", cause });
  }
  if (status === 409) {
    return new AlError(message, { code: "docker-conflict", blame: "transient", cause });
  }
  if (status >= 500) {
    return new AlError(message, { code: "docker-failed", blame: "transient", cause });
  }
  return new AlError(message, { code: "docker-refused", blame: "terminal", cause });
}

function isBrokenConnection(thrown: unknown): boolean {
  const errno = errnoOf(thrown);
  return errno === "ECONNRESET" || errno === "EPIPE" || errno === "ECONNREFUSED";
}
