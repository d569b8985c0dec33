import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  Ended,
  Login,
  MachineSession,
  MachinesPort,
} from "../../../src/provisioning/adopt-ports.ts";
import { LOOK_SCRIPT } from "../../../src/provisioning/look-at-machine.ts";
import { environment } from "../../lab/environment.ts";
import { USABLE } from "./simulated-machine.ts";

/** Reads drop-ins as sshd does: in order of their names, includes in place, the first value counts. */
const SSHD = `#!/bin/sh
[ -e "$AL_TEST_ROOT/broken" ] && { echo "line 1: Bad configuration option" >&2; exit 255; }
[ "$1" = -t ] && exit 0
[ -e "$AL_TEST_ROOT/deaf" ] && exit 0
for file in "$AL_TEST_ROOT"/etc/ssh/sshd_config.d/*.conf; do
  while read -r key value; do
    if [ "$key" = Include ]; then cat $value 2>/dev/null; else echo "$key $value"; fi
  done < "$file"
done | tr A-Z a-z | awk '!seen[$1]++'
`;

/** Takes a new configuration at SIGHUP, as sshd does: until then the old one counts. */
const DAEMON = `
take() {
  sshd -T > "$AL_TEST_ROOT/live.new"; mv "$AL_TEST_ROOT/live.new" "$AL_TEST_ROOT/live"
  echo $$ > "$AL_TEST_ROOT/run/sshd.pid"
}
trap 'sleep 0.2; take' HUP
take
while :; do sleep 0.02; done
`;

/** A directory that is a machine's root, with scripts really run, and an sshd that takes its settings. */
export class SshdMachine implements MachinesPort {
  readonly root: string;
  /** Logins from this one on (counted from 1) fail. */
  failsFrom = Number.POSITIVE_INFINITY;
  /** Called before a login. */
  beforeLogin: (login: number) => Promise<void> = async () => {};
  readonly #daemon: ChildProcess;
  #logins = 0;

  private constructor(root: string, daemon: ChildProcess) {
    this.root = root;
    this.#daemon = daemon;
  }

  static async start(): Promise<SshdMachine> {
    const root = await mkdtemp(join(tmpdir(), "al-sshd-"));
    for (const part of ["bin", "run", "etc/ssh/sshd_config.d"]) {
      await mkdir(join(root, part), { recursive: true });
    }
    await writeFile(
      join(root, "etc/ssh/sshd_config.d/50-cloud.conf"),
      "PasswordAuthentication yes\nClientAliveInterval 0\n",
    );
    await writeFile(join(root, "bin/sshd"), SSHD);
    await chmod(join(root, "bin/sshd"), 0o755);
    const daemon = spawn("sh", ["-c", DAEMON], { env: envOf(root), stdio: "ignore" });
    const machine = new SshdMachine(root, daemon);
    while (!existsSync(join(root, "run/sshd.pid")))
      await new Promise((done) => setTimeout(done, 5));
    return machine;
  }

  async stop(): Promise<void> {
    this.#daemon.kill("SIGKILL");
    await rm(this.root, { recursive: true, force: true });
  }

  /** Settings that count now, one a line. */
  async live(): Promise<string> {
    return readFile(join(this.root, "live"), "utf8");
  }

  /** Whether a file of the machine is there. */
  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  async readHostKey(): Promise<{ fingerprint: string }> {
    return { fingerprint: "SHA256:x" };
  }

  async connect(_login: Login): Promise<MachineSession> {
    this.#logins += 1;
    await this.beforeLogin(this.#logins);
    if (this.#logins >= this.failsFrom) throw new Error("Permission denied (publickey)");
    return {
      exec: (argv, options) => this.#exec(argv, options?.stdin),
      engine: async () => USABLE,
      close: async () => {},
    };
  }

  #exec(argv: readonly string[], stdin = ""): Promise<Ended> {
    if (argv.includes(LOOK_SCRIPT)) {
      return Promise.resolve({ code: 0, stdout: Buffer.from("uid 0\nroot yes\n"), stderr: EMPTY });
    }
    const [program = "", ...args] = argv;
    return new Promise((resolve) => {
      const child = execFile(program, args, { env: envOf(this.root) }, (error, stdout, stderr) => {
        const code = error ? Number(error.code ?? 1) : 0;
        resolve({ code, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) });
      });
      child.stdin?.on("error", () => {});
      child.stdin?.end(stdin);
    });
  }
}

const EMPTY = Buffer.alloc(0);

function envOf(root: string): Record<string, string> {
  return { PATH: `${join(root, "bin")}:${environment.PATH ?? ""}`, AL_TEST_ROOT: root };
}
