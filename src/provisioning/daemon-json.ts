import { AlError } from "../base/errors.ts";

type Settings = Readonly<Record<string, unknown>>;

/**
 * Docker's daemon.json with our settings added, or undefined where it has them. What the operator said
 * stays, but for `live-restore`, without which a restart of Docker ends runs; options of logs are of one
 * driver, so they come with the driver or not at all.
 *
 * @throws AlError `daemon-json-invalid` (user) where the text is no JSON object.
 */
export function mergedDaemonJson(text: string, ours: Settings): string | undefined {
  const there = text.trim() === "" ? {} : parse(text);
  const hasLogs = "log-driver" in there || "log-opts" in there;
  const wanted = Object.entries(ours).filter(
    ([name]) => name === "live-restore" || !(name in there || (hasLogs && name.startsWith("log-"))),
  );
  if (wanted.every(([name, value]) => there[name] === value)) return undefined;
  return `${JSON.stringify({ ...there, ...Object.fromEntries(wanted) }, undefined, 2)}\n`;
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
