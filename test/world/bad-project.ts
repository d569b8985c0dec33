import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { initWorkingCopy, type WorkingCopy } from "./repository.ts";

/** A line of a report: the file, with its line where one is known, and what is said of it. */
export interface Complaint {
  readonly at: string;
  readonly says: string;
}

interface Flaw {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly complaints: readonly Complaint[];
}

const AGENT = `schedule = "0 5 1 1 *"\n`;
/** Deeper than any parser should follow; a hundred levels are read, and refused where they are not expected. */
const abyss = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
const pit = `[${Array.from({ length: 100 }, () => "a").join(".")}]\nb = 1\n`;

/** One agent directory for each class of bad input that is found in files' contents. */
const FLAWS: readonly Flaw[] = [
  flaw(
    "bytes/agent-config.toml",
    bytes(`${AGENT}# `, [0xff], "\n"),
    "bytes/agent-config.toml:2",
    "is not UTF-8 (save it as UTF-8)",
  ),
  flaw("nul/ACTIONS.md", "Do\0.\n", "nul/ACTIONS.md", "contains a NUL character"),
  flaw(
    "wide/ACTIONS.md",
    bytes("", [0xff, 0xfe], "D\0o\0"),
    "wide/ACTIONS.md",
    "is encoded as UTF-16",
  ),
  flaw(
    "long/ACTIONS.md",
    "x".repeat(2_000_000),
    "long/ACTIONS.md",
    "is 2000000 bytes long; at most",
  ),
  flaw("empty/ACTIONS.md", "\n", "empty/ACTIONS.md", "is empty"),
  flaw(
    "abyss/agent-config.toml",
    `${AGENT}params.x = ${abyss}\n`,
    "abyss/agent-config.toml:2",
    "nested",
  ),
  flaw("pit/agent-config.toml", AGENT + pit, "pit/agent-config.toml:2", "a: unknown field `a`"),
  flaw(
    "syntax/agent-config.toml",
    `${AGENT}scale = \n`,
    "syntax/agent-config.toml:2",
    "invalid value",
  ),
  flaw("twice/agent-config.toml", `${AGENT}${AGENT}`, "twice/agent-config.toml:2", "redefin"),
  flaw(
    "typo/agent-config.toml",
    `${AGENT}tiemout = 5\n`,
    "typo/agent-config.toml:2",
    "tiemout: unknown field `tiemout`; did you mean `timeout`?",
  ),
  flaw(
    "kind/agent-config.toml",
    `schedule = 5\ntimeout = -1\n`,
    "kind/agent-config.toml:1",
    "schedule: expected a string, found a number",
  ),
  flaw(
    "host/agent-config.toml",
    `${AGENT}hosts = ["oen"]\n`,
    "host/agent-config.toml:2",
    "hosts[0]: no host `oen` in fleet.toml; did you mean `one`?",
  ),
  flaw(
    "label/agent-config.toml",
    `${AGENT}hosts = ["one"]\nlabels = { gpu = "yes" }\n`,
    "label/agent-config.toml:3",
    "labels.gpu: no host has the label `gpu=yes`",
  ),
  flaw(
    "replica/agent-config.toml",
    `${AGENT}replicas = 2\n`,
    "replica/agent-config.toml:2",
    "replicas: an agent with a schedule has one replica",
  ),
  flaw(
    "hook/agent-config.toml",
    `[[webhooks]]\nsource = "hub"\n`,
    "hook/agent-config.toml:2",
    "webhooks[0].source",
  ),
  flaw(
    "secret/agent-config.toml",
    `${AGENT}credentials = ["github_tokne", "../../etc"]\n`,
    "secret/agent-config.toml:2",
    "credentials[1]",
  ),
  flaw(
    "outside/Dockerfile",
    "FROM al-agent:latest\nCOPY ../typo/ACTIONS.md /\n",
    "outside/Dockerfile:2",
    "`../typo/ACTIONS.md` lies outside of the Dockerfile's directory",
  ),
  flaw(
    "lost/Dockerfile",
    "FROM al-agent:latest\n\nCOPY nowhere.txt /\n",
    "lost/Dockerfile:3",
    "`nowhere.txt` is not in the Dockerfile's directory",
  ),
  flaw("blank/Dockerfile", "RUN true\n", "blank/Dockerfile", "has no FROM"),
  flaw(
    "default/agent-config.toml",
    AGENT,
    "default/agent-config.toml",
    "`default` cannot be an agent's name",
  ),
  flaw("Bad_Name/agent-config.toml", AGENT, "Bad_Name/agent-config.toml", "agent name must be"),
  flaw("agents/typo/agent-config.toml", AGENT, "typo/agent-config.toml", "names are unique"),
];

/** Writes all of it, with entries that no tree may have, into a working copy of a valid project. */
export async function writeBadProject({ directory, write, link }: WorkingCopy): Promise<void> {
  for (const { path, content } of FLAWS) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    await write(`${folder}/agent-config.toml`, AGENT);
    await write(`${folder}/ACTIONS.md`, "Do.\n");
    await write(path, "");
    await writeFile(join(directory, path), content);
  }
  await write("fine/agent-config.toml", `\uFEFF${AGENT}`.replaceAll("\n", "\r\n"));
  await write("fine/ACTIONS.md", "\uFEFFDo.\r\n");
  await write("link/agent-config.toml", AGENT);
  await link("link/ACTIONS.md", "/etc/passwd");
  await write("Greeter/ACTIONS.md", "Do.\n");
  await write("huge.bin", "x".repeat(10_000_001));
  await write("config.toml.orig\u202e", "x");
  const vendor = await initWorkingCopy(join(directory, "vendor"), "");
  await vendor.write("file", "x");
  await vendor.commit("somebody else's");
}

/** Every complaint that a report about it must have. */
export const COMPLAINTS: readonly Complaint[] = [
  ...FLAWS.flatMap(({ complaints }) => complaints),
  { at: "kind/agent-config.toml:2", says: "timeout: must be more than 0" },
  { at: "link/ACTIONS.md", says: "it is a symbolic link" },
  { at: "greeter", says: 'differs from "Greeter" only in case' },
  { at: "huge.bin", says: "10000001 bytes; a file may have 10000000" },
  { at: "config.toml.orig", says: "its name has control characters" },
  { at: "vendor", says: "it is a submodule" },
];

function flaw(path: string, content: string | Uint8Array, at: string, says: string): Flaw {
  return { path, content, complaints: [{ at, says }] };
}

function bytes(before: string, odd: readonly number[], after = ""): Uint8Array {
  return Buffer.concat([Buffer.from(before), Buffer.from(odd), Buffer.from(after)]);
}
