import type { Client } from "ssh2";
import { AlError } from "../base/errors.ts";
import type { SessionLimit } from "./session-limit.ts";

/** What an open SSH connection shares with the operations on it. */
export interface SshLink {
  /** The host's name in the fleet. */
  readonly host: string;
  readonly client: Client;
  /** Places for commands; sshd refuses more than its MaxSessions (10). */
  readonly sessions: SessionLimit;
  /** Place for ending commands, which must not wait behind those it ends. */
  readonly killSessions: SessionLimit;
  /** Aborted with `connection-lost` when the connection was lost or is being closed: nothing new starts. */
  readonly ended: AbortSignal;
  /** Aborted when the socket has closed: nothing can be sent any more. */
  readonly gone: AbortSignal;
}

/** The error of every operation whose connection ended under it. */
export function connectionLost(host: string, reason: string, cause?: unknown): AlError {
  return new AlError(`the connection to host ${host} ended: ${reason}`, {
    code: "connection-lost",
    blame: "transient",
    cause,
  });
}

/** Runs `react` once when the signal fires, at once if it has; returns what takes the reaction back. */
export function whenAborted(signal: AbortSignal | undefined, react: () => void): () => void {
  if (!signal) return () => {};
  if (signal.aborted) react();
  else signal.addEventListener("abort", react, { once: true });
  return () => signal.removeEventListener("abort", react);
}
