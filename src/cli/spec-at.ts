import { AlError, hasCode } from "../base/errors.ts";
import type { HostSpec } from "../core/desired.ts";
import { shortHash } from "../core/names.ts";
import { openRepository } from "../git/open-repository.ts";
import type { CliContext } from "./context.ts";
import { readProject } from "./project.ts";

/**
 * What an earlier revision of the project at `-p` asked of a host.
 * @throws AlError `live-revision-unknown` (user) when the repository or that revision has it not.
 */
export async function readSpecAt(
  context: CliContext,
  host: string,
  revision: string,
): Promise<HostSpec> {
  const { gitVariables: variables, signal } = context;
  const repository = await openRepository(context.project, { variables, signal });
  try {
    const commit = await repository.resolve(revision);
    const { fleet } = await readProject(await repository.tree(commit));
    const found = fleet.hosts.find(({ spec }) => spec.host === host);
    if (found) return found.spec;
    throw unknownLive(host, `has no host ${host} in`, revision);
  } catch (thrown) {
    if (!hasCode(thrown, "unknown-revision")) throw thrown;
    throw unknownLive(host, "does not know", revision);
  } finally {
    await repository.close();
  }
}

function unknownLive(host: string, lacks: string, revision: string): AlError {
  const what = `revision ${shortHash(revision)}, which is live there`;
  return new AlError(`host ${host}: the repository ${lacks} ${what}`, {
    code: "live-revision-unknown",
    blame: "user",
    hint: "Fetch it (git fetch), or bring the host to this commit: al apply",
  });
}
