import { AlError, toAlError } from "../base/errors.ts";

/** What Docker says, in its various versions, when something else listens on a port of the host. */
const TAKEN = /(?:(127\.0\.0\.1)|0\.0\.0\.0|\[?::\]?):(\d+)\b.*\balready (?:allocated|in use)/s;

/** What an operator does about a failure to start the door or the ingress; undefined where no port is to blame. */
export function portTaken(thrown: unknown): AlError | undefined {
  const [found, loopback, port] = TAKEN.exec(toAlError(thrown).message) ?? [];
  if (found === undefined) return undefined;
  const where = loopback === undefined ? `port ${port}` : `${loopback}:${port}`;
  return new AlError(`${where} of the host is taken, and webhooks are to be received there`, {
    code: "port-taken",
    blame: "user",
    hint: `${loopback === undefined ? PUBLIC_HINT : DOOR_HINT} What has it now: ss -ltnp`,
    cause: thrown,
  });
}

const DOOR_HINT =
  "Each project on a host needs a port of its own: set `port` in [gateway] of config.toml, commit, and: al apply.";
const PUBLIC_HINT =
  "One project on a host can be public, and nothing else may have its ports: end that, or take `public` out of [gateway] of config.toml, commit, and: al apply.";
