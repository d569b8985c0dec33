import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import ssh2 from "ssh2";
import { type Adapters, compose } from "../../src/cli/compose.ts";
import { openProject, type Project } from "../../src/cli/project.ts";
import { runFleetPass } from "../../src/reconcile/fleet-pass.ts";
import { poolSessions } from "../../src/reconcile/session-pool.ts";
import { startHost } from "../lab/host.ts";
import type { LabHost } from "../lab/lab-host.ts";
import { runAl } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import { initWorkingCopy } from "../world/repository.ts";
import { instructions } from "../world/sample-project.ts";
import { orFail, type World } from "../world/world.ts";
import { openAnsiblePeer, type PeerFiles } from "./ansible-peer.ts";
import { removeImages } from "./remove-images.ts";
import { benchContext } from "./round-trips.ts";

const PROJECT = "noop";
const AGENTS = 40;
const RUNS = 5;
const CREDENTIALS = [
  "anthropic_key",
  "bugsnag_token",
  "github_token",
  "linear_token",
  "sentry_token",
];

/** The same as in the world's other project, whose credentials must not change by this. */
const VALUE = "sk-not-used";

/** A pass over two hosts that finds nothing to do; medians in milliseconds. */
export interface NoOpFleet {
  /** The whole process, from its start to its exit. */
  readonly planMs: number;
  /** In a controller whose connections are open. */
  readonly warmMs: number;
  /** `ansible-playbook` with nothing to change. */
  readonly peerMs: number;
  readonly agents: readonly number[];
}

/** Measures on a world's host and one more, with 40 agents and 5 credentials. */
export async function measureNoOpFleet(
  world: World,
  log: (line: string) => void,
): Promise<NoOpFleet> {
  const second = await startHost(world.lab.engine, {
    name: "no-op-two",
    log,
    preload: [world.lab.baseImage],
    clientKey: keyPairOf(world.host.privateKey),
  });
  const directory = await mkdtemp(join(tmpdir(), "al-no-op-"));
  const hosts = [world.host, second];
  try {
    const bare = join(directory, "fleet.git");
    await writeFleet(world, { bare, directory, hosts });
    return await measure({ ...world, bare }, hosts);
  } finally {
    await Promise.all([
      second.stop(),
      rm(directory, { recursive: true, force: true }),
      removeImages(world, PROJECT),
    ]);
  }
}

async function measure(world: World, hosts: readonly LabHost[]): Promise<NoOpFleet> {
  const context = benchContext(world);
  const project = await openProject(context);
  const adapters = compose(context, PROJECT);
  const pool = poolSessions(adapters.hosts);
  const pass = passes(project, { ...adapters, deps: { ...adapters.deps, hosts: pool } });
  try {
    await approveEverything(project, adapters, hosts);
    const applied = await pass("apply");
    if (applied.some(({ kind }) => kind !== "applied")) throw new Error(JSON.stringify(applied));
    const noOp = async () => {
      const kinds = (await pass("plan")).map(({ kind }) => kind);
      if (kinds.some((kind) => kind !== "in-sync")) throw new Error(`not a no-op: ${kinds}`);
    };
    await noOp();
    const warmMs = await medianOf(noOp);
    const planMs = await medianOf(async () => {
      orFail(await runAl(["-p", world.bare, "plan"], world.options));
    });
    return {
      warmMs,
      planMs,
      peerMs: await measurePeer(project, hosts),
      agents: agentCounts(project),
    };
  } finally {
    await pool.closeAll();
    adapters.close();
  }
}

function passes({ fleet, remote }: Project, { deps }: Pick<Adapters, "deps">) {
  return (mode: "plan" | "apply") => runFleetPass({ fleet, remote, mode }, deps);
}

/** What the operator would be asked for, host keys compared with the true ones. */
async function approveEverything(
  project: Project,
  adapters: Adapters,
  hosts: readonly LabHost[],
): Promise<void> {
  const pass = passes(project, adapters);
  for (;;) {
    const waiting = (await pass("plan")).flatMap((result) =>
      result.kind === "approval-needed" ? result.approvals : [],
    );
    if (waiting.length === 0) return;
    for (const approval of waiting) {
      const isTrue =
        approval.kind === "grant" ||
        hosts.some(({ hostKeyFingerprint }) => hostKeyFingerprint === approval.fingerprint);
      if (!isTrue) throw new Error(`a strange host key: ${JSON.stringify(approval)}`);
      adapters.store.approve(approval, Date.now());
    }
  }
}

async function measurePeer(project: Project, hosts: readonly LabHost[]): Promise<number> {
  const files = project.fleet.hosts[0]?.spec.release.files ?? [];
  const agents: PeerFiles = Object.fromEntries(files.map(({ path, content }) => [path, content]));
  const credentials = Object.fromEntries(
    CREDENTIALS.map((type) => [`${type}/default/token`, VALUE]),
  );
  const peer = await openAnsiblePeer(hosts, { agents, credentials });
  try {
    await peer.run();
    return await medianOf(async () => {
      if ((await peer.run()).changed) throw new Error("the peer changed something");
    });
  } finally {
    await peer.remove();
  }
}

function agentCounts({ fleet }: Project): number[] {
  return fleet.hosts.map(
    ({ spec }) => spec.release.files.filter(({ path }) => path.endsWith("ACTIONS.md")).length,
  );
}

async function writeFleet(
  world: World,
  at: { readonly bare: string; readonly directory: string; readonly hosts: readonly LabHost[] },
): Promise<void> {
  const { bare, directory, hosts } = at;
  orFail(await runAl(["controller", "init-repo", bare], world.options));
  const copy = await initWorkingCopy(join(directory, "work"), bare);
  const lines = hosts.map(
    ({ address, port }, index) =>
      `[hosts.host-${index + 1}]\naddress = "${address}"\nport = ${port}\nuser = "deploy"\n`,
  );
  await copy.write("fleet.toml", `[project]\nname = "${PROJECT}"\n\n${lines.join("\n")}`);
  await copy.write(
    "config.toml",
    `[images]\nbase = "${world.lab.baseImage}"\n\n[model]\nprovider = "anthropic"\nmodel = "claude-scripted"\nbaseUrl = "http://127.0.0.1:9"\n`,
  );
  for (let number = 1; number <= AGENTS; number++) {
    const name = `agent-${String(number).padStart(2, "0")}`;
    const config = `schedule = "0 5 1 1 *"\ncredentials = ${JSON.stringify(CREDENTIALS)}\n`;
    await copy.write(`agents/${name}/agent-config.toml`, config);
    await copy.write(`agents/${name}/ACTIONS.md`, instructions(name));
  }
  await copy.commit("first");
  await copy.push();
  for (const type of CREDENTIALS) {
    await addCredential(world.home, `${type}/default/token`, VALUE);
  }
}

function keyPairOf(privateKey: string) {
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) throw key;
  return { privateKey, publicKey: `ssh-ed25519 ${key.getPublicSSH().toString("base64")}` };
}

async function medianOf(work: () => Promise<void>): Promise<number> {
  const took: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now();
    await work();
    took.push(performance.now() - begin);
  }
  return took.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Number.NaN;
}
