import { AlError } from "../base/errors.ts";

type Settings = Readonly<Record<string, unknown>>;

/** Settings of one driver, by their names in the file and on the command line. */
const LOGS: readonly string[] = ["log-driver", "log-opts", "log-opt"];

/** What Docker's daemon.json is to be. */
export interface DaemonJson {
  readonly text: string;
  /** The names of our settings that are new in it. */
  readonly adds: readonly string[];
}

/**
 * Docker's daemon.json with our settings added, or undefined where it has them. What the operator said
 * stays, but for `live-restore`, without which a restart of Docker ends runs; options of logs are of one
 * driver, so they come with the driver or not at all. What `argv`, dockerd's command line, says is left to
 * it: dockerd does not start with a setting in both.
 *
 * @throws AlError `daemon-json-invalid` (user) where the text is no JSON object.
 */
export function mergedDaemonJson(
  text: string,
  ours: Settings,
  argv: readonly string[] = [],
): DaemonJson | undefined {
  const there = text.trim() === "" ? {} : parse(text);
  const flags = argv.flatMap((word) => /^--([a-z-]+)/.exec(word)?.[1] ?? []);
  const hasLogs = [...Object.keys(there), ...flags].some((name) => LOGS.includes(name));
  const wanted = Object.entries(ours).filter(([name, value]) => {
    if (flags.includes(name) || there[name] === value) return false;
    return name === "live-restore" || !(name in there || (hasLogs && LOGS.includes(name)));
  });
  if (wanted.length === 0) return undefined;
  const all = { ...there, ...Object.fromEntries(wanted) };
  return { text: `${JSON.stringify(all, undefined, 2)}\n`, adds: wanted.map(([name]) => name) };
}

function parse(text: string): Settings {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
      return parsed as Settings;
    }
    throw new Error("it is not an object");
  } catch (cause) {
    throw new AlError(`/etc/docker/daemon.json cannot be read: ${(cause as Error).message}`, {
      code: "daemon-json-invalid",
      blame: "user",
      hint: "Mend it on the machine: dockerd itself would not start with it again.",
      cause,
    });
  }
}
