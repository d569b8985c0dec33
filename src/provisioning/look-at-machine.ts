import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { EngineLook, MachineSession } from "./adopt-ports.ts";

/** What a machine is, before anything is done to it. */
export interface MachineLook {
  readonly uid: number;
  /** `debian`; empty where the machine does not say. */
  readonly distribution: string;
  /** `Debian GNU/Linux 13 (trixie)`. */
  readonly system: string;
  /** The user can be root without a password: is root, or may use sudo. */
  readonly canBeRoot: boolean;
  readonly engine: EngineLook;
}

/** One fact a line: a word, a space, the rest. */
export const LOOK_SCRIPT = `
LC_ALL=C; export LC_ALL
printf 'uid %s\\n' "$(id -u)"
if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then echo 'root yes'; else echo 'root no'; fi
[ -r /etc/os-release ] && sed 's/^/os /' /etc/os-release
exit 0
`;

/** Looks at a machine; changes nothing. */
export async function lookAtMachine(
  session: MachineSession,
  options: CallOptions = {},
): Promise<MachineLook> {
  const [looked, engine] = await Promise.all([
    session.exec(["sh", "-c", LOOK_SCRIPT], { timeoutMs: 30_000, ...options }),
    session.engine(options),
  ]);
  return { ...parseLook(textOf(looked.stdout)), engine };
}

/**
 * Reads what {@link LOOK_SCRIPT} printed.
 * @throws AlError `machine-unreadable` (user) where it did not run.
 */
export function parseLook(text: string): Omit<MachineLook, "engine"> {
  const lines = text.split("\n");
  const fact = (start: string) =>
    lines.find((line) => line.startsWith(start))?.slice(start.length) ?? "";
  const uid = fact("uid ");
  if (!/^\d+$/.test(uid)) throw unreadable();
  const distribution = unquoted(fact("os ID="));
  return {
    uid: Number(uid),
    distribution,
    system: printable(unquoted(fact("os PRETTY_NAME=")) || distribution || "an unknown system"),
    canBeRoot: fact("root ") === "yes",
  };
}

/** Bytes of a command's output, as text. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

function unquoted(value: string): string {
  return value.trim().replace(/^(["'])(.*)\1$/, "$2");
}

function unreadable(): AlError {
  return new AlError("the machine does not run a POSIX shell for this user", {
    code: "machine-unreadable",
    blame: "user",
    hint: "Log in by hand and see what it says; a host needs Linux, `sh` and a user whose login shell runs commands.",
  });
}
