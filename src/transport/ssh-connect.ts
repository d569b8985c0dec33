import type { Socket } from "node:net";
import ssh2, { Client, type ConnectConfig } from "ssh2";
import { withDeadline } from "../base/deadline.ts";
import { AlError, hasCode } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import { dial, type Endpoint, formatEndpoint, unreachable } from "./dial.ts";
import {
  checkPin,
  fingerprintOf,
  HOST_KEY_ALGORITHMS,
  type HostKeyPin,
  hostKeyMismatch,
  parseHostKey,
} from "./host-key.ts";

/** What {@link openClient} needs: where, as whom, and which host keys are approved. */
export interface SshLogin extends Endpoint {
  readonly user: string;
  /** OpenSSH or PEM private key. */
  readonly privateKey: Secret;
  readonly passphrase?: Secret | undefined;
  readonly hostKey: HostKeyPin;
}

/** An authenticated connection and the socket under it, which is ours to destroy. */
export interface SshClient {
  readonly client: Client;
  readonly socket: Socket;
}

interface OpenOptions {
  readonly connectTimeoutMs: number;
  readonly keepAliveIntervalMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Dials, checks the host key, and authenticates with the key, in one deadline.
 * @throws AlError `unreachable`, `host-key-unknown`, `host-key-mismatch`, `auth-failed`, `handshake-failed`.
 */
export async function openClient(login: SshLogin, options: OpenOptions): Promise<SshClient> {
  checkPin(login.host, login.hostKey);
  const identity = readIdentity(login);
  const { connectTimeoutMs: timeoutMs, keepAliveIntervalMs } = options;
  try {
    return await withDeadline(
      `connect to ${login.host}`,
      { timeoutMs, signal: options.signal },
      async (signal) => {
        const socket = await dial(login, signal);
        try {
          const client = await handshake({ login, identity, keepAliveIntervalMs, socket, signal });
          return { client, socket };
        } catch (thrown) {
          socket.destroy();
          throw thrown;
        }
      },
    );
  } catch (thrown) {
    if (!hasCode(thrown, "timeout")) throw thrown;
    throw unreachable(login, `no SSH connection within ${timeoutMs} ms`, thrown);
  }
}

interface Handshake {
  readonly login: SshLogin;
  /** Fingerprint of our own key. */
  readonly identity: string;
  readonly keepAliveIntervalMs: number;
  readonly socket: Socket;
  readonly signal: AbortSignal;
}

function handshake(task: Handshake): Promise<Client> {
  const { login, socket, signal } = task;
  const client = new Client();
  let refused: AlError | undefined;
  let authenticating = false;
  return new Promise<Client>((resolve, reject) => {
    const fail = (error: unknown) => {
      client.removeListener("ready", onReady);
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => fail(signal.reason);
    const onReady = () => {
      signal.removeEventListener("abort", onAbort);
      resolve(client);
    };
    // Stays for the client's whole life: a late error must never be unhandled.
    client.on("error", (error) => fail(refused ?? classify(task, error, authenticating)));
    client.once("handshake", () => {
      authenticating = true;
    });
    client.once("close", () => fail(unreachable(login, "the connection was closed")));
    client.once("ready", onReady);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) return onAbort();
    client.connect({
      ...credentials(login),
      sock: socket,
      readyTimeout: 0,
      keepaliveInterval: task.keepAliveIntervalMs,
      keepaliveCountMax: Number.MAX_SAFE_INTEGER, // silence is judged in liveness.ts
      algorithms: { serverHostKey: HOST_KEY_ALGORITHMS },
      hostVerifier: (wire: Buffer) => {
        const offered = parseHostKey(wire);
        if (login.hostKey.fingerprints.includes(offered.fingerprint)) return true;
        refused = hostKeyMismatch(
          { host: login.host, endpoint: formatEndpoint(login) },
          login.hostKey,
          offered,
        );
        return false;
      },
    });
  });
}

function credentials(login: SshLogin): ConnectConfig {
  return {
    username: login.user,
    privateKey: login.privateKey.revealBytes(),
    ...(login.passphrase && { passphrase: login.passphrase.reveal() }),
    authHandler: ["publickey"],
  };
}

function readIdentity(login: SshLogin): string {
  const key = ssh2.utils.parseKey(login.privateKey.revealBytes(), login.passphrase?.reveal());
  if (!(key instanceof Error) && key.isPrivateKey()) return fingerprintOf(key.getPublicSSH());
  const reason = key instanceof Error ? key.message : "it is a public key";
  throw new AlError(
    `host ${login.host}: the private key for user ${login.user} cannot be used: ${reason}`,
    {
      code: "auth-failed",
      blame: "user",
      hint: "Give an OpenSSH private key and, if it is encrypted, its passphrase.",
    },
  );
}

function classify(task: Handshake, error: Error & { level?: string }, authenticating: boolean) {
  const { login, identity } = task;
  if (
    error.level === "client-authentication" ||
    (authenticating && /authentication/i.test(error.message))
  ) {
    return new AlError(
      `host ${login.host} at ${formatEndpoint(login)} does not accept key ${identity} for user ${login.user}`,
      {
        code: "auth-failed",
        blame: "user",
        hint: `Add the public key to ${login.user}'s ~/.ssh/authorized_keys on the host, or check the user's name.`,
        cause: error,
      },
    );
  }
  if (error.level === "handshake" && !authenticating && /no matching/i.test(error.message)) {
    return new AlError(
      `host ${login.host} at ${formatEndpoint(login)} has no SSH algorithm in common with us: ${error.message}`,
      {
        code: "handshake-failed",
        blame: "user",
        hint: "Update the host's OpenSSH, or allow its default algorithms in sshd_config.",
        cause: error,
      },
    );
  }
  return unreachable(login, error.message, error);
}
