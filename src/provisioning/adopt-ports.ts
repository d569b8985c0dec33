import type { CallOptions } from "../base/deadline.ts";
import type { Architecture } from "../core/desired.ts";

/** Where a machine's sshd listens, and as whom to log in. */
export interface Login {
  /** The host's name in the fleet. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
}

/** How a machine's Docker was found; `says` and `hint` are for a person. */
export type EngineLook =
  | {
      readonly kind: "usable";
      readonly version: string;
      readonly architecture: Architecture;
      readonly liveRestore: boolean;
    }
  | {
      /** Not installed; there, but not for this user; installed, but not answering. */
      readonly kind: "missing" | "refused" | "down";
      readonly says: string;
      readonly hint: string | undefined;
    };

/** How a command on a machine ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** One login on a machine. */
export interface MachineSession {
  exec(
    argv: readonly string[],
    options?: CallOptions & { readonly stdin?: string | undefined },
  ): Promise<Ended>;
  engine(options?: CallOptions): Promise<EngineLook>;
  close(): Promise<void>;
}

/** Machines that are not hosts yet. */
export interface MachinesPort {
  /** The key that a machine presents: it proves nothing until somebody has compared it. */
  readHostKey(login: Login, options?: CallOptions): Promise<{ readonly fingerprint: string }>;
  /** Logs in with the fleet's key; every host key but this one is refused. */
  connect(
    login: Login,
    options: CallOptions & { readonly fingerprint: string },
  ): Promise<MachineSession>;
}
