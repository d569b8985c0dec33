import type { LabHost } from "../lab/lab-host.ts";

/** What lies on a host for one project, as its root sees it. */
export interface HostState {
  readonly current: {
    readonly revision: string;
    readonly release: string;
    readonly credentials: string;
    readonly runtime: string;
    readonly door?: string;
    readonly ingress?: string;
  };
  readonly releases: readonly string[];
  readonly credentialSets: readonly string[];
  readonly temporary: readonly string[];
  readonly runningRuntimes: readonly string[];
  /** Images and containers of the project that its inventory does not list. */
  readonly unlisted: readonly string[];
}

/** Reads a project's state on a host directly, without `al`. */
export async function hostState(host: LabHost, project: string): Promise<HostState> {
  const directory = projectDirectory(project);
  const lines = async (script: string) => {
    const { stdout } = await host.exec(["sh", "-c", script]);
    return stdout.split("\n").filter((line) => line !== "");
  };
  const json = async (file: string) =>
    JSON.parse((await lines(`cat ${directory}/${file}`)).join(""));
  const label = `--filter label=action-llama.project=${project}`;
  const [current, inventory, releases, credentialSets, temporary] = await Promise.all([
    json("current.json"),
    json("applied.json") as Promise<{ items: { id: string }[] }>,
    lines(`ls ${directory}/releases`),
    lines(`ls ${directory}/credentials`),
    lines(`find ${directory} -name '.tmp-*'`),
  ]);
  const runningRuntimes = await lines(
    `docker ps ${label} --filter label=action-llama.role=runtime --format '{{.Names}}'`,
  );
  const containers = await lines(
    `docker ps -a ${label} --format '{{.Label "action-llama.role"}} {{.Names}}' | sed -nE 's/^(runtime|door|ingress) //p'`,
  );
  const images = await lines(`docker images 'al-${project}/*' --format '{{.Repository}}:{{.Tag}}'`);
  const listed = new Set(inventory.items.map(({ id }) => id));
  const unlisted = [...containers, ...images].filter((name) => !listed.has(name));
  return { current, releases, credentialSets, temporary, runningRuntimes, unlisted };
}

/** Makes a host forget a project; images stay, the agents' own ones only if not told otherwise. */
export async function resetHost(
  host: LabHost,
  project: string,
  { agentImage = false }: { readonly agentImage?: boolean } = {},
): Promise<void> {
  const label = `label=action-llama.project=${project}`;
  const script = `
    docker ps -aq --filter ${label} | xargs -r docker rm -f
    docker volume ls -q --filter ${label} | xargs -r docker volume rm -f
    docker network ls -q --filter ${label} | xargs -r docker network rm
    rm -rf ${projectDirectory(project)}
    ${agentImage ? `docker images -q 'al-${project}/agent-*' | xargs -r docker rmi -f` : ""}`;
  const { code, stderr } = await host.exec(["sh", "-c", script]);
  if (code !== 0) throw new Error(`the host could not be reset: ${stderr}`);
}

function projectDirectory(project: string): string {
  return `/home/deploy/.action-llama/projects/${project}`;
}
