import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AlOptions, type AlResult, runAl } from "./al.ts";
import { addCredential } from "./home.ts";
import { orFail, type World } from "./world.ts";

/** Another operator of the same fleet: an own home, an own store, an own controller's memory. */
export interface Person {
  readonly home: string;
  readonly options: AlOptions;
  /** Runs `al -p <repository> ARGS` as that person. */
  al(...args: string[]): Promise<AlResult>;
  /** Approves all that waits, the host's key after comparing it with the true one. */
  approveAll(): Promise<void>;
  remove(): Promise<void>;
}

interface Waiting {
  readonly approvals: readonly Record<string, string>[];
}

/** Gives a new person nothing but the key that opens the world's host, and a repository. */
export async function secondPerson(world: World, repository = world.bare): Promise<Person> {
  const root = await mkdtemp(join(tmpdir(), "al-person-"));
  const home = join(root, "home");
  const options = { ...world.options, home };
  await addCredential(home, "vps_ssh/default/private_key", world.host.privateKey);
  const al = (...args: string[]) => runAl(["-p", repository, ...args], options);
  return {
    home,
    options,
    al,
    approveAll: async () => {
      const { stdout } = await al("--json", "approve");
      const { approvals } = JSON.parse(stdout.split("\n").at(-1) ?? "") as Waiting;
      for (const { kind, fingerprint, credential, agent, host } of approvals) {
        const own = kind === "host-key" && fingerprint === world.host.hostKeyFingerprint;
        if (kind === "host-key" && !own) throw new Error(`the host shows ${fingerprint}`);
        const words = own ? ["host", host, fingerprint] : ["grant", credential, agent, host];
        orFail(await al("approve", ...words.map(String)));
      }
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
