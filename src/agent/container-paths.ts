import { join } from "node:path";

/** Where a run's container keeps what the entry program reads and writes. */
export interface ContainerPaths {
  /** AGENT_CONFIG as a file. */
  readonly config: string;
  /** PROMPT as a file. */
  readonly prompt: string;
  /** SHUTDOWN_SECRET as a file. */
  readonly secret: string;
  /** `<type>/<instance>/<field>` below it. */
  readonly credentials: string;
  /** Our commands, in images that have them nowhere else. */
  readonly commands: string;
  /** Working directory and HOME. */
  readonly tmp: string;
  /** Host keys of git servers that the image's author trusts. */
  readonly knownHosts: string;
  /** Signal files, unless AL_SIGNAL_DIR names another directory. */
  readonly signals: string;
}

/** The contract's paths; `root` stands for `/` in tests. */
export function containerPaths(root = "/"): ContainerPaths {
  return {
    config: join(root, "run/al/config.json"),
    prompt: join(root, "run/al/prompt"),
    secret: join(root, "run/al/secret"),
    credentials: join(root, "credentials"),
    commands: join(root, "app/bin"),
    tmp: join(root, "tmp"),
    knownHosts: join(root, "etc/ssh/ssh_known_hosts"),
    signals: join(root, "tmp/signals"),
  };
}
