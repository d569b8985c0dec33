import type { Duplex, Readable, Writable } from "node:stream";
import type { CallOptions } from "../base/deadline.ts";

/** How a command ended, with everything it printed. */
export interface ExecResult {
  /** Exit code; null when a signal ended the command. 127: no such program; 126: it may not be run. */
  readonly code: number | null;
  /** Signal name such as `SIGKILL`; null when it exited by itself. */
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Options of {@link Transport.exec}. `timeoutMs` is 10 minutes unless told. */
export interface ExecOptions extends CallOptions {
  /**
   * Written to the command's standard input, which is then closed. Default: closed at once.
   * A stream is destroyed when the command ends before having read all of it.
   */
  readonly stdin?: Uint8Array | string | Readable | undefined;
  /** More output than this on either stream fails with `output-too-large`. Default 64 MiB. */
  readonly maxOutputBytes?: number | undefined;
}

/** A running command whose streams the caller drives. */
export interface ExecProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * Resolves when the command has ended and its output was received; rejects when the connection is lost.
   * Large output has to be read, or the command blocks and never ends. May be left unobserved.
   */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Ends the command and its children: closes its input, TERM, then KILL. Idempotent. */
  kill(): void;
}

/**
 * One connection to one machine. Errors are AlError with codes `unreachable`, `host-key-unknown`,
 * `host-key-mismatch`, `auth-failed`, `handshake-failed`, `connection-lost`, `timeout`,
 * `output-too-large`, `socket-unavailable`, `forwarding-refused`, `spawn-failed`, `argv-invalid`.
 * Streams are destroyed with `connection-lost` when the connection ends under them; never is a cut
 * stream a clean end. None of them ever raises an unhandled `error` event.
 */
export interface Transport {
  /** The host's name in the fleet, for messages. */
  readonly host: string;
  /**
   * Runs a command by argument vector; a non-zero exit is a result, not an error.
   * When aborted it rejects at once, and the command is ended (TERM, then KILL) behind the scenes.
   */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /**
   * Starts a command and hands over its streams. It counts as a session until it has ended.
   * `timeoutMs` bounds the start only; `signal` ends the command at any time, as `kill` does.
   */
  spawn(argv: readonly string[], options?: CallOptions): Promise<ExecProcess>;
  /** A byte stream to a unix socket on the machine, such as Docker's. The options govern opening it. */
  forwardUnix(path: string, options?: CallOptions): Promise<Duplex>;
  /** Resolves with the reason when the connection has ended for any cause but {@link close}. */
  readonly lost: Promise<Error>;
  /** Ends the connection and everything on it, commands included, within about two seconds. Idempotent. */
  close(): Promise<void>;
}
