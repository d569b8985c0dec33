import type {
  Ended,
  EngineLook,
  Login,
  MachineSession,
  MachinesPort,
} from "../../../src/provisioning/adopt-ports.ts";
import { INSTALL_DOCKER_SCRIPT } from "../../../src/provisioning/install-docker.ts";
import { LOOK_SCRIPT } from "../../../src/provisioning/look-at-machine.ts";

export const USABLE: EngineLook = {
  kind: "usable",
  version: "26.1.5",
  architecture: "amd64",
  liveRestore: false,
};
export const MISSING: EngineLook = { kind: "missing", says: "Docker is not installed", hint: "x" };
export const REFUSED: EngineLook = { kind: "refused", says: "not for this user", hint: "Join." };

/** A machine as far as adopting one looks at it. */
export class SimulatedMachine implements MachinesPort {
  fingerprint = `SHA256:${"A".repeat(43)}`;
  uid = 0;
  sudo = false;
  osRelease = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\n';
  engine: EngineLook = USABLE;
  installFails = "";
  /** What was done to it, in order. */
  readonly log: string[] = [];
  openSessions = 0;

  async readHostKey(): Promise<{ fingerprint: string }> {
    this.log.push("key read");
    return { fingerprint: this.fingerprint };
  }

  async connect(
    { user }: Login,
    { fingerprint }: { fingerprint: string },
  ): Promise<MachineSession> {
    if (fingerprint !== this.fingerprint) throw new Error("host key mismatch");
    this.log.push(`login ${user}`);
    this.openSessions += 1;
    // A user's groups are those of the login.
    const atLogin = this.engine;
    return {
      exec: async (argv) => this.#exec(argv),
      engine: async () => (this.uid === 0 ? this.engine : atLogin),
      close: async () => {
        this.openSessions -= 1;
      },
    };
  }

  #exec(argv: readonly string[]): Ended {
    const isSudo = argv[0] === "sudo";
    const [shell, flag, script, , letIn] = isSudo ? argv.slice(2) : argv;
    if (shell !== "sh" || flag !== "-c") throw new Error(`not a script: ${argv.join(" ")}`);
    if (script === LOOK_SCRIPT) {
      const root = this.uid === 0 || this.sudo ? "yes" : "no";
      const os = this.osRelease.replaceAll(/^(?=.)/gm, "os ");
      return ended(0, `uid ${this.uid}\nroot ${root}\n${os}`);
    }
    if (script !== INSTALL_DOCKER_SCRIPT) throw new Error("an unknown script");
    if (this.uid !== 0 && !(isSudo && this.sudo)) return ended(1, "", "not root");
    if (this.installFails !== "") return ended(100, "", this.installFails);
    this.log.push(`Docker installed, for ${letIn || "root"}`);
    this.engine = USABLE;
    return ended(0, "");
  }
}

function ended(code: number, stdout: string, stderr = ""): Ended {
  return { code, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
}
