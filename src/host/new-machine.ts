import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import type { Transport } from "../transport/transport.ts";
import { firstBootFailed } from "./first-boot-failed.ts";
import {
  AS_ROOT,
  FIND_HOST_KEY,
  FIRST_BOOT,
  OWN_HOST_KEY,
  SSHD_SETTINGS,
  TAKE_HOST_KEY,
} from "./new-machine-scripts.ts";

const MAX_PRINTED_BYTES = 64 * 1024;
const PUBLIC_KEY = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/]+={0,2}$/;

/** Where a host key is, and sshd's process id: absolute paths of files on the machine. */
interface SshdFiles {
  readonly key: string;
  readonly pid: string;
}

/** Of a machine that is made with our settings. */
const OF_NEW_MACHINE: SshdFiles = { key: "/etc/ssh/ssh_host_ed25519_key", pid: "/run/sshd.pid" };

/** How a machine differs from one that is made with our settings. */
export interface MachineOptions {
  /** Its host key is where sshd says: the one with one of these fingerprints, as they are when asked. */
  readonly findKey?: () => readonly string[];
  /** What cloud-init leaves at its end; tests have another. Default `/run/cloud-init/result.json`. */
  readonly bootResult?: string;
}

const BOOT_RESULT = "/run/cloud-init/result.json";

/** A connection, as much of it as is needed. */
type Connection = Pick<Transport, "host" | "exec" | "close">;

/**
 * A machine that is being made a host, or gets another host key, through a connection to it; satisfies the
 * port of `provisioning`.
 */
export function newMachine(
  transport: Connection,
  { findKey, bootResult = BOOT_RESULT }: MachineOptions = {},
) {
  const { host } = transport;
  const files = async (call: CallOptions): Promise<SshdFiles> => {
    if (findKey === undefined) return OF_NEW_MACHINE;
    const argv = asRoot(FIND_HOST_KEY, findKey());
    const printed = await run(transport, argv, "find its host key", call);
    const [key = "", pid = ""] = printed.split("\n");
    return { key, pid };
  };
  return {
    async lacks(call: CallOptions = {}): Promise<string | undefined> {
      const argv = ["sh", "-c", FIRST_BOOT, "sh", bootResult];
      const [state, ...said] = (await run(transport, argv, "show its first boot", call)).split(
        "\n",
      );
      if (state === "ready") return undefined;
      if (state === "booting") return "the end of its first boot";
      if (state === "waiting") return "an answer of Docker";
      throw firstBootFailed(host, said.join("\n"));
    },
    sshdSettings: (call: CallOptions = {}): Promise<string> =>
      run(transport, asRoot(SSHD_SETTINGS, []), "tell the settings of sshd", call),
    async ownHostKey(first: string, call: CallOptions = {}): Promise<string> {
      const argv = asRoot(OWN_HOST_KEY, [(await files(call)).key, first]);
      const printed = await run(transport, argv, "make a host key", call);
      if (PUBLIC_KEY.test(printed) && printed !== first) return printed;
      throw failed(host, "make a host key", `it printed ${JSON.stringify(printed.slice(0, 100))}`);
    },
    async takeHostKey(own: string, call: CallOptions = {}): Promise<void> {
      const { key, pid } = await files(call);
      const argv = asRoot(TAKE_HOST_KEY, [key, own, pid]);
      await run(transport, argv, "take the new host key", call);
    },
    close: () => transport.close(),
  };
}

function asRoot(script: string, args: readonly string[]): string[] {
  return ["sh", "-c", AS_ROOT, "sh", script, ...args];
}

async function run(
  transport: Connection,
  argv: readonly string[],
  what: string,
  call: CallOptions,
): Promise<string> {
  const limits = { timeoutMs: 120_000, maxOutputBytes: MAX_PRINTED_BYTES };
  const { code, signal, stdout, stderr } = await transport.exec(argv, { ...limits, ...call });
  if (code === 0) return stdout.toString("utf8").trim();
  const said = stderr.toString("utf8").trim().slice(0, 300);
  throw failed(transport.host, what, said || `ended by ${signal ?? `exit ${code}`}`);
}

function failed(host: string, what: string, why: string): AlError {
  return new AlError(`host ${host}: the machine could not ${what}: ${why}`, {
    code: "new-machine-failed",
    blame: "transient",
    hint: "Mend what it says there, and run the same command again: it goes on where it stopped.",
  });
}
