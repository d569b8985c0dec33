import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { LabHost } from "../lab/lab-host.ts";

/** Every entry below a directory with its mode, owner, time of last change and content. */
export async function traceOf(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true }).catch(() => undefined);
  if (entries === undefined) return "absent";
  const lines = await Promise.all(
    ["", ...entries].sort().map((name) => entryLine(directory, name)),
  );
  return lines.join("\n");
}

async function entryLine(directory: string, name: string): Promise<string> {
  const path = join(directory, name);
  const { mode, uid, mtimeNs, ctimeNs, ino } = await lstat(path, { bigint: true });
  const what = `${name} ${mode.toString(8)} ${uid} ${mtimeNs} ${ctimeNs} ${ino}`;
  const kind = Number(mode) & 0o170000;
  if (kind === 0o120000) return `${what} -> ${await readlink(path)}`;
  if (kind !== 0o100000) return what;
  return `${what} ${createHash("sha256")
    .update(await readFile(path))
    .digest("hex")}`;
}

/**
 * A whole host as its root sees it: the SSH user's home, Docker's objects by id, addresses, rules.
 * What a running runtime itself writes (its database, its log) is left out.
 */
export async function traceOfHost(host: LabHost): Promise<string> {
  const script = `
    cd /home/deploy
    find . ! -path '*/state.db*' ! -path '*/logs/*' -printf '%p %m %u %T@ %C@ %i %y %l\\n' | sort
    find . -type f ! -path '*/state.db*' ! -path '*/logs/*' -exec sha256sum {} + | sort -k2
    docker ps -aq --no-trunc | sort | xargs -r docker inspect -f '{{.Id}} {{.Name}} {{.State.Status}} {{.State.StartedAt}} {{.RestartCount}} {{.Config.Image}}'
    docker images -aq --no-trunc --digests | sort
    docker images --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort
    docker network ls -q --no-trunc | sort | xargs docker network inspect -f '{{.Id}} {{.Name}} {{json .IPAM}} {{json .Options}} {{json .Labels}}'
    docker volume ls -q | sort
    iptables-save | grep -v '^#' | sed 's/\\[[0-9]*:[0-9]*\\]//'
    ip6tables-save | grep -v '^#' | sed 's/\\[[0-9]*:[0-9]*\\]//'
    ip -o addr | sed 's/valid_lft.*//'`;
  const { code, stdout, stderr } = await host.exec(["sh", "-c", script]);
  if (code !== 0) throw new Error(`the host cannot be looked at: ${stderr}`);
  return stdout;
}
