import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import type { Transport } from "../transport/transport.ts";
import { AS_ROOT, LACKS, OWN_HOST_KEY, TAKE_HOST_KEY } from "./new-machine-scripts.ts";

const SSHD_DIRECTORY = "/etc/ssh";
const SSHD_PID = "/run/sshd.pid";
const MAX_PRINTED_BYTES = 64 * 1024;
const PUBLIC_KEY = /^ssh-ed25519 [A-Za-z0-9+/]+={0,2}$/;

/** A machine that is being made a host, through a connection to it; satisfies the port of `provisioning`. */
export function newMachine(transport: Transport) {
  const { host } = transport;
  return {
    async lacks(call: CallOptions = {}): Promise<string | undefined> {
      const printed = await run(transport, ["sh", "-c", LACKS], "look at the machine", call);
      return printed || undefined;
    },
    async ownHostKey(first: string, call: CallOptions = {}): Promise<string> {
      const argv = asRoot(OWN_HOST_KEY, [SSHD_DIRECTORY, first]);
      const printed = await run(transport, argv, "make a host key", call);
      if (PUBLIC_KEY.test(printed) && printed !== first) return printed;
      throw failed(host, "make a host key", `it printed ${JSON.stringify(printed.slice(0, 100))}`);
    },
    async takeHostKey(own: string, call: CallOptions = {}): Promise<void> {
      const argv = asRoot(TAKE_HOST_KEY, [SSHD_DIRECTORY, own, SSHD_PID]);
      await run(transport, argv, "take the new host key", call);
    },
    close: () => transport.close(),
  };
}

function asRoot(script: string, args: readonly string[]): string[] {
  return ["sh", "-c", AS_ROOT, "sh", script, ...args];
}

async function run(
  transport: Transport,
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
  return new AlError(`host ${host}: the new machine could not ${what}: ${why}`, {
    code: "new-machine-failed",
    blame: "transient",
    hint: `Run the same command again; nothing is lost: al provision ${host}`,
  });
}
