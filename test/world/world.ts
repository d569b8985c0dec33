import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "../lab/cache.ts";
import { connectEngine } from "../lab/engine.ts";
import { startHost } from "../lab/host.ts";
import type { LabHost } from "../lab/lab-host.ts";
import { type Lab, setUpLab } from "../lab/set-up.ts";
import { type AlOptions, type AlResult, runAl } from "./al.ts";
import { addCredential } from "./home.ts";
import { initWorkingCopy, type WorkingCopy } from "./repository.ts";

/** A person's machine with `al`, a bare repository, a working copy of it, and one real host. */
export interface World {
  readonly lab: Lab;
  readonly host: LabHost;
  /** A home directory with nothing in it but the key that opens the host. */
  readonly home: string;
  readonly bare: string;
  readonly copy: WorkingCopy;
  readonly options: AlOptions;
  /** Runs `al -p <bare repository> ARGS`. */
  al(...args: string[]): Promise<AlResult>;
  /** The same with other options, such as one to see its lines as they come. */
  alWith(options: AlOptions, ...args: string[]): Promise<AlResult>;
  /** Approves everything that waits, after comparing the host's key with the true one. */
  approveAll(say?: (line: string) => void): Promise<void>;
  /** Removes all of it, the images built for `project` on the machine's engine included. */
  remove(project: string): Promise<void>;
}

/** What a world's host is before anybody deploys to it. */
export interface WorldOptions {
  /** It has the base of our images already, so that the first deployment takes a second. Default false. */
  readonly hasBase?: boolean;
}

/** Makes a world around a new lab host. */
export async function createWorld(
  hostName: string,
  log: Log,
  { hasBase = false }: WorldOptions = {},
): Promise<World> {
  const lab = await setUpLab({ log });
  const preload = hasBase ? [lab.baseImage] : [];
  const [host, root] = await Promise.all([
    startHost(lab.engine, { name: hostName, log, preload }),
    mkdtemp(join(tmpdir(), "al-world-")),
  ]);
  const home = join(root, "home");
  const bare = join(root, "fleet.git");
  const options: AlOptions = { home, dockerSocket: lab.engine.socketPath };
  await addCredential(home, "vps_ssh/default/private_key", host.privateKey);
  await orFail(await runAl(["controller", "init-repo", bare], options));
  const copy = await initWorkingCopy(join(root, "work"), bare);
  const alWith = (own: AlOptions, ...args: string[]) => runAl(["-p", bare, ...args], own);
  const al = (...args: string[]) => alWith(options, ...args);
  return {
    lab,
    host,
    home,
    bare,
    copy,
    options,
    al,
    alWith,
    approveAll: (say = () => {}) => approveAll(host, al, say),
    async remove(project) {
      await Promise.all([
        host.stop(),
        removeImages(lab, project),
        rm(root, { recursive: true, force: true }),
      ]);
    },
  };
}

/** The result, or an error with everything it printed. */
export function orFail(result: AlResult): AlResult {
  if (result.code === 0) return result;
  throw new Error(`al ended with ${result.code}\n${result.stdout}\n${result.stderr}`);
}

interface Waiting {
  readonly approvals: readonly Record<string, string>[];
}

async function approveAll(
  host: LabHost,
  al: World["al"],
  say: (line: string) => void,
): Promise<void> {
  for (;;) {
    const { stdout } = await al("--json", "approve");
    const { approvals } = JSON.parse(stdout.split("\n").at(-1) ?? "") as Waiting;
    if (approvals.length === 0) return;
    for (const { kind, fingerprint, credential, agent, host: name } of approvals) {
      if (kind === "host-key" && fingerprint !== host.hostKeyFingerprint) {
        throw new Error(`the host shows ${fingerprint}, but its key is ${host.hostKeyFingerprint}`);
      }
      const words =
        kind === "host-key" ? ["host", name, fingerprint] : ["grant", credential, agent, name];
      say(`al approve ${words.join(" ")}`);
      orFail(await al("approve", ...words.map(String)));
    }
  }
}

/** Removes the images built for `project` on the machine's engine. */
export async function removeImages(lab: Pick<Lab, "engine">, project: string): Promise<void> {
  const docker = connectEngine(lab.engine);
  const images = await docker.listImages({ filters: { reference: [`al-${project}/*`] } });
  for (const { RepoTags } of images) {
    for (const tag of RepoTags ?? []) await docker.getImage(tag).remove({ force: true });
  }
}
